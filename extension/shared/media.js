// @ts-check
/** What a page plays, from the addresses it asked for: streams with their variants, files, and no segments. Pure. */

/**
 * @typedef {'hls' | 'dash' | 'file'} MediaKind
 * @typedef {object} Seen an answer that the page got, or an element that plays
 * @property {string} url
 * @property {string} [type] media type, if known
 * @property {number | null} [bytes]
 * @property {number | null} [seconds] how long it plays
 * @property {number | null} [height] of the picture, in pixels
 * @typedef {object} Media
 * @property {string} url
 * @property {MediaKind} kind
 * @property {string} name the last part of its address
 * @property {number | null} bytes
 * @property {number | null} seconds
 * @property {number | null} height
 * @property {string[]} variants of a stream: the same in other qualities
 */

const FILES = /\.(mp4|m4v|webm|mkv|mov|avi|flv|ogv|mp3|m4a|aac|ogg|oga|opus|flac|wav)$/i;
const SEGMENTS = /\.(ts|m2ts|m4s|m4f|cmf[vat]|aac|vtt|key)$|(^|[-_.])(init|seg(ment)?|frag(ment)?|chunk)([-_.]?\d+)?\.\w+$|[-_.]\d{3,}\.\w+$/i;

/** What an address is by its name and type; null: nothing to play, or only a piece of it. @param {Seen} seen @returns {MediaKind | null} */
export function mediaKind({ url, type = '' }) {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return null;
  const { pathname } = new URL(url);
  if (/mpegurl/i.test(type) || /\.m3u8?$/i.test(pathname)) return 'hls';
  if (/dash\+xml/i.test(type) || /\.mpd$/i.test(pathname)) return 'dash';
  if (/mp2t|iso\.segment/i.test(type) || /\.(ts|m2ts|m4s|m4f|cmf[vat])$/i.test(pathname)) return null;
  return /^(video|audio)\//i.test(type) || FILES.test(pathname) ? 'file' : null;
}

/**
 * Streams and files in the order in which they were seen. A playlist in or below the folder of an earlier one is that
 * one's variant; a file there that is named like a segment is one.
 * @param {Seen[]} all
 * @returns {Media[]}
 */
export function groupMedia(all) {
  /** @type {Map<string, Media>} */
  const found = new Map();
  for (const seen of all) {
    const kind = mediaKind(seen);
    if (kind === null) continue;
    const known = found.get(seen.url);
    if (known) complete(known, tidy(seen, kind));
    else found.set(seen.url, { url: seen.url, kind, name: nameIn(seen.url), variants: [], ...tidy(seen, kind) });
  }
  const streams = [...found.values()].filter(({ kind }) => kind !== 'file');
  for (const media of [...found.values()]) {
    const above = streams.find((stream) => stream !== media && found.has(stream.url) && isBelow(media.url, stream.url));
    if (!above || (media.kind !== 'file' && streams.indexOf(above) > streams.indexOf(media))) continue;
    if (media.kind === above.kind) above.variants.push(media.url);
    if (media.kind === above.kind || (media.kind === 'file' && SEGMENTS.test(media.name))) found.delete(media.url);
  }
  return [...found.values()];
}

/** @param {string} url @param {string} other whether `url` lies in the folder of `other` */
function isBelow(url, other) {
  const folder = new URL('.', other);
  return url.startsWith(folder.href) && folder.pathname !== '/';
}

/** @param {Media} known @param {Pick<Media, 'bytes' | 'seconds' | 'height'>} seen */
function complete(known, { bytes, seconds, height }) {
  known.bytes ??= bytes;
  known.seconds ??= seconds;
  known.height ??= height;
}

/** A playlist's own size is not that of what it plays. @param {Seen} seen @param {MediaKind} kind */
function tidy({ bytes = null, seconds = null, height = null }, kind) {
  return { bytes: kind === 'file' ? bytes : null, seconds: seconds && Number.isFinite(seconds) ? seconds : null, height: height || null };
}

/** @param {string} url */
function nameIn(url) {
  const { pathname, hostname } = new URL(url);
  const last = pathname.split('/').findLast(Boolean) ?? hostname;
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}
