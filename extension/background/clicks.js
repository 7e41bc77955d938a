// @ts-check
/** What an entry of the menus does. */

import { scanLinks } from '../page/scan.js';
import { t } from '../shared/i18n.js';
import { addressesIn, tidyLinks } from '../shared/links.js';
import { Ask } from '../shared/messages.js';
import { readSettings, writeSettings } from '../shared/settings.js';
import { siteOf } from '../shared/sites.js';
import { isWeb, submissionFor } from './menus.js';
import { notify, send } from './requests.js';
import { leaveToBrowser } from './takeover.js';

const LEAVE_SECONDS = 60;

/** @param {chrome.contextMenus.OnClickData} clicked @param {chrome.tabs.Tab | undefined} tab */
export async function clickedMenu(clicked, tab) {
  switch (clicked.menuItemId) {
    case 'selection':
      return sendSelection(clicked, tab);
    case 'links':
      return openPicker(tab);
    case 'leave':
      await leaveToBrowser(LEAVE_SECONDS);
      return notify({ kind: 'success', text: t('noticeLeft'), at: Date.now() }, tab);
    case 'never':
      return neverHere(tab);
    default:
      return send(submissionFor(clicked), tab);
  }
}

/** @param {chrome.contextMenus.OnClickData} clicked @param {chrome.tabs.Tab | undefined} tab */
async function sendSelection({ selectionText = '', pageUrl }, tab) {
  const written = addressesIn(selectionText); // all that there is where no script may look: a PDF, a text field
  const links = tidyLinks([...(tab?.id === undefined ? [] : await scanLinks(tab.id, true)), ...written]);
  const urls = links.map(({ url }) => url);
  const referrer = isWeb(pageUrl) ? { referrer: pageUrl } : {};
  await send(urls.length ? { type: Ask.SUBMIT_MANY, many: { urls, ...referrer } } : null, tab);
}

/** @param {chrome.tabs.Tab | undefined} tab */
export async function openPicker(tab) {
  if (tab?.id !== undefined) await chrome.tabs.create({ url: `/picker/picker.html?tab=${tab.id}`, index: tab.index + 1 });
}

/** @param {chrome.tabs.Tab | undefined} tab */
async function neverHere(tab) {
  const site = siteOf(tab?.url);
  if (!site) return notify({ kind: 'error', text: t('problemNoSite'), at: Date.now() }, tab);
  const { takeOver } = await readSettings();
  await writeSettings({ takeOver: { ...takeOver, neverSites: [...new Set([...takeOver.neverSites, site])] } });
  return notify({ kind: 'success', text: t('noticeNever', site), at: Date.now() }, tab);
}
