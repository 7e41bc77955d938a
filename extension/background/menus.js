// @ts-check
/** The context menu: what was clicked, as something to download. */

import { t } from '../shared/i18n.js';

/** @import { Submission } from '../shared/api.js' */
/** @typedef {{menuItemId: string | number, linkUrl?: string, srcUrl?: string, pageUrl?: string, frameUrl?: string}} Clicked */

const WEB = ['http://*/*', 'https://*/*'];
const MEDIA = /** @type {const} */ (['image', 'video', 'audio']);
const TITLES = { image: 'menuImage', video: 'menuVideo', audio: 'menuAudio' };

/** Put the entries into the browser's menu; it keeps them. */
export async function createMenus() {
  await chrome.contextMenus.removeAll();
  const inPages = { documentUrlPatterns: WEB };
  chrome.contextMenus.create({ id: 'page', title: t('menuPage'), contexts: ['page'], ...inPages });
  chrome.contextMenus.create({ id: 'link', title: t('menuLink'), contexts: ['link'], targetUrlPatterns: WEB });
  for (const kind of MEDIA) {
    chrome.contextMenus.create({ id: kind, title: t(TITLES[kind]), contexts: [kind], ...inPages });
  }
  chrome.contextMenus.create({ id: 'selection', title: t('menuSelection'), contexts: ['selection'], ...inPages });
  chrome.contextMenus.create({ id: 'links', title: t('menuLinks'), contexts: ['page', 'action'], ...inPages });
  chrome.contextMenus.create({ id: 'leave', title: t('menuLeave'), contexts: ['action'] });
  chrome.contextMenus.create({ id: 'never', title: t('menuNever'), contexts: ['action'] });
}

/**
 * What to hand over for a click, or null where there is nothing. A player's source that lives only in the page
 * (`blob:`) stands for the page, from which the server extracts the media.
 * @param {Clicked} clicked
 * @returns {Submission | null}
 */
export function submissionFor({ menuItemId, linkUrl, srcUrl, pageUrl, frameUrl }) {
  const frame = frameUrl ?? pageUrl;
  const source = isWeb(srcUrl) ? srcUrl : frame;
  const url = menuItemId === 'page' ? pageUrl : menuItemId === 'link' ? linkUrl : source;
  if (!url || !isWeb(url)) return null;
  const isElsewhere = menuItemId !== 'page' && url !== frame;
  return isElsewhere && frame && isWeb(frame) ? { url, referrer: frame } : { url };
}

/** @param {string | undefined} url */
export function isWeb(url) {
  return /^https?:\/\//i.test(url ?? '');
}
