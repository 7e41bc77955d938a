// @ts-check
/** What runs in a page, once, because somebody clicked: the functions are handed over whole and know nothing outside. */

/** @import { Link } from '../shared/links.js' */
/** @import { Seen } from '../shared/media.js' */

/** What the page plays, and all that it has asked for. @returns {Seen[]} */
function mediaInPage() {
  /** @type {Seen[]} */
  const seen = performance.getEntriesByType('resource').map((entry) => ({
    url: entry.name,
    bytes: /** @type {PerformanceResourceTiming} */ (entry).encodedBodySize || null,
  }));
  const players = [...document.querySelectorAll('video, audio')].map((element) => /** @type {HTMLVideoElement} */ (element));
  for (const player of players) {
    const facts = { seconds: player.duration, height: player.videoHeight };
    const isStreamed = player.currentSrc.startsWith('blob:');
    const stream = isStreamed && players.length === 1 ? seen.find(({ url }) => /\.(m3u8|mpd)(\?|$)/i.test(url)) : undefined;
    if (stream) Object.assign(stream, facts);
    else seen.push({ url: player.currentSrc || player.src, type: player.localName + '/*', ...facts });
    for (const source of player.querySelectorAll('source')) seen.push({ url: source.src, type: source.type || player.localName + '/*' });
  }
  for (const anchor of document.querySelectorAll('a[href]')) seen.push({ url: /** @type {HTMLAnchorElement} */ (anchor).href });
  // A file that is only partly loaded has told nothing of its size.
  return seen.map((one) => (one.type || /\.(mp4|webm|mp3|m4a)(\?|$)/i.test(one.url) ? { ...one, bytes: null } : one));
}

/** Links, in the selection or everywhere. @param {boolean} isSelection @returns {Link[]} */
function linksInPage(isSelection) {
  const selection = getSelection();
  const anchors = [...document.querySelectorAll('a[href], area[href]')].map((element) => /** @type {HTMLAnchorElement} */ (element));
  if (!isSelection) {
    const media = [...document.querySelectorAll('img, video, audio, source')].map((element) => {
      const { currentSrc = '', src } = /** @type {HTMLImageElement} */ (element);
      return { url: currentSrc || src, text: element.getAttribute('alt') ?? '' };
    });
    return [...anchors.map(({ href, textContent }) => ({ url: href, text: textContent })), ...media];
  }
  if (!selection || selection.isCollapsed) return [];
  const chosen = anchors.filter((anchor) => selection.containsNode(anchor, true));
  const written = String(selection).match(
    /https?:\/\/(?:\([^\s<>"'()]*\)|[^\s<>"'()])*(?:\([^\s<>"'()]*\)|[^\s<>"'().,;:!?\]])/gi,
  ) ?? [];
  return [...chosen.map(({ href, textContent }) => ({ url: href, text: textContent })), ...written.map((url) => ({ url, text: '' }))];
}

/** @param {number} tabId @returns {Promise<Seen[]>} */
export function scanMedia(tabId) {
  return inFrames(tabId, mediaInPage, []);
}

/** @param {number} tabId @param {boolean} [isSelection] @returns {Promise<Link[]>} */
export function scanLinks(tabId, isSelection = false) {
  return inFrames(tabId, linksInPage, [isSelection]);
}

/**
 * @template {unknown[]} A
 * @template T
 * @param {number} tabId
 * @param {(...args: A) => T[]} func
 * @param {A} args
 * @returns {Promise<T[]>} of all frames; none where the browser lets no extension look
 */
async function inFrames(tabId, func, args) {
  try {
    const frames = await chrome.scripting.executeScript({ target: { tabId, allFrames: true }, func, args });
    return frames.flatMap(({ result }) => /** @type {T[]} */ (result ?? []));
  } catch {
    return [];
  }
}
