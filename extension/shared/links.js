// @ts-check
/** Links of a page, sorted by what they lead to. Pure. */

import { extensionOf } from './rules.js';

/** @typedef {{url: string, text: string}} Link */
/** @typedef {'video' | 'audio' | 'image' | 'archive' | 'document' | 'program' | 'other'} LinkKind */

/** @type {Record<Exclude<LinkKind, 'other'>, string>} */
const EXTENSIONS = {
  video: 'mp4 m4v webm mkv mov avi flv wmv mpg mpeg ogv ts m3u8 mpd',
  audio: 'mp3 m4a aac ogg oga opus flac wav wma',
  image: 'jpg jpeg png gif webp avif svg bmp tif tiff heic',
  archive: 'zip rar 7z gz tgz bz2 xz zst tar iso',
  document: 'pdf epub doc docx xls xlsx ppt pptx odt ods odp txt csv rtf',
  program: 'exe msi dmg pkg deb rpm appimage apk jar',
};
/** Up to the punctuation after it; a bracket is part of it only as a pair. `page/scan.js` has the same. */
const ADDRESS = /https?:\/\/(?:\([^\s<>"'()]*\)|[^\s<>"'()])*(?:\([^\s<>"'()]*\)|[^\s<>"'().,;:!?\]])/gi;
const KINDS = new Map(
  Object.entries(EXTENSIONS).flatMap(([kind, names]) => names.split(' ').map((name) => [name, /** @type {LinkKind} */ (kind)])),
);

/** @param {string} url @returns {LinkKind} */
export function linkKind(url) {
  return KINDS.get(extensionOf(url)) ?? 'other';
}

/** The web addresses that stand in a text, without the punctuation after them. @param {string} text @returns {Link[]} */
export function addressesIn(text) {
  return (text.match(ADDRESS) ?? []).map((url) => ({ url, text: '' }));
}

/** Web addresses only, each once, without its fragment; the first words for it stay. @param {Link[]} links @returns {Link[]} */
export function tidyLinks(links) {
  /** @type {Map<string, Link>} */
  const found = new Map();
  for (const { url, text } of links) {
    const address = url.replace(/#.*$/, '');
    if (!/^https?:\/\//i.test(address)) continue;
    const known = found.get(address);
    if (!known) found.set(address, { url: address, text: text.trim() });
    else if (!known.text) known.text = text.trim();
  }
  return [...found.values()];
}

/** Those that a filter lets through: a kind (empty: all) and words that stand in the address or the text. @param {Link[]} links @param {string} kind @param {string} words */
export function filterLinks(links, kind, words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return links.filter(({ url, text }) => {
    const where = `${url} ${text}`.toLowerCase();
    return (!kind || linkKind(url) === kind) && wanted.every((word) => where.includes(word));
  });
}
