// @ts-check
/**
 * What tabs play, while they play it: from the heads of the answers they get, for people who have granted that.
 * Kept in `chrome.storage.session`, by tab, until the tab goes elsewhere.
 */

import { allHeard, forgetHeard, heardIn, keepHeard } from '../shared/heard.js';
import { groupMedia, mediaKind } from '../shared/media.js';
import { showMedia } from './badge.js';

/** @import { Seen } from '../shared/media.js' */

const MAX_SEEN = 200;
/** @type {chrome.webRequest.RequestFilter} */
const FILTER = { urls: ['http://*/*', 'https://*/*'], types: ['main_frame', 'media', 'xmlhttprequest', 'other'] };

/** One change of the kept lists after the other; first, what was heard before the worker was stopped. */
/** @type {Promise<unknown>} */
let inTurn = Promise.resolve();
after(restore);

/** Begin, where it was granted; again does no harm. */
export function sniff() {
  chrome.webRequest?.onHeadersReceived.addListener(hear, FILTER, ['responseHeaders']);
}

/** @param {number} tabId a tab that was closed */
export function forget(tabId) {
  showMedia(tabId, 0);
  after(() => forgetHeard(tabId));
}

/** @param {chrome.webRequest.OnHeadersReceivedDetails} details */
function hear({ tabId, type, url, responseHeaders = [] }) {
  if (tabId < 0) return undefined;
  /** @param {string} name */
  const header = (name) => responseHeaders.find((each) => each.name.toLowerCase() === name)?.value;
  const whole = /\/(\d+)$/.exec(header('content-range') ?? '')?.[1] ?? header('content-length');
  const seen = { url, type: header('content-type') ?? '', bytes: whole ? Number(whole) : null };
  const isPlayed = mediaKind(seen) !== null;
  if (type === 'main_frame') after(() => keep(tabId, isPlayed ? [seen] : []));
  else if (isPlayed) after(async () => keep(tabId, [...(await heardIn(tabId)), seen]));
  return undefined;
}

async function restore() {
  if (!chrome.webRequest) return;
  for (const [tabId, seen] of await allHeard()) showMedia(tabId, groupMedia(seen).length);
}

/** A full storage loses one, not all that come after it. @param {() => Promise<void>} work */
function after(work) {
  inTurn = inTurn.then(work).catch(() => {});
}

/** @param {number} tabId @param {Seen[]} all */
async function keep(tabId, all) {
  const once = [...new Map(all.map((seen) => [seen.url, seen])).values()].slice(-MAX_SEEN);
  await keepHeard(tabId, once);
  showMedia(tabId, groupMedia(once).length);
}
