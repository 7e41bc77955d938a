// @ts-check
/** What was heard of a tab's media, in `chrome.storage.session`: the worker writes it, a popup reads it. */

/** @import { Seen } from './media.js' */

const PREFIX = 'media-';
/** @param {number} tabId */
const keyOf = (tabId) => `${PREFIX}${tabId}`;

/** @param {number} tabId @returns {Promise<Seen[]>} */
export async function heardIn(tabId) {
  const stored = await chrome.storage.session.get(keyOf(tabId));
  return /** @type {Seen[]} */ (stored[keyOf(tabId)] ?? []);
}

/** Of all tabs. @returns {Promise<[tabId: number, seen: Seen[]][]>} */
export async function allHeard() {
  const stored = Object.entries(await chrome.storage.session.get()).filter(([key]) => key.startsWith(PREFIX));
  return stored.map(([key, seen]) => [Number(key.slice(PREFIX.length)), /** @type {Seen[]} */ (seen)]);
}

/** @param {number} tabId @param {Seen[]} all */
export async function keepHeard(tabId, all) {
  await chrome.storage.session.set({ [keyOf(tabId)]: all });
}

/** @param {number} tabId */
export async function forgetHeard(tabId) {
  await chrome.storage.session.remove(keyOf(tabId));
}
