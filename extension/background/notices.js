// @ts-check
/** System notifications of what ended while no popup was open; for people who switched them on. */

import { titleOf } from '../shared/downloads.js';
import { t } from '../shared/i18n.js';
import { readSettings } from '../shared/settings.js';
import { failureWords } from '../shared/words.js';

/** @import { Download } from '../shared/downloads.js' */

const PREFIX = 'download-';

/** One notification for each download, whatever happens to it. @param {Download} download */
export async function announce(download) {
  if (!chrome.notifications || !(await readSettings()).notify) return;
  const isDone = download.status === 'completed';
  await chrome.notifications.create(`${PREFIX}${download.id}`, {
    type: 'basic',
    iconUrl: chrome.runtime.getURL('icons/128.png'),
    title: t(isDone ? 'notificationFinished' : 'notificationFailed'),
    message: [titleOf(download), isDone ? '' : failureWords(download.error)].filter(Boolean).join('\n'),
  });
}

/** @param {string} id of a notification @returns {boolean} whether it is of a download */
export function isOfDownload(id) {
  return id.startsWith(PREFIX);
}
