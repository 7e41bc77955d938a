// @ts-check
/** Taking over the browser's downloads: which are wanted, and when the server has really got one. Pure. */

import { isOnSite } from './sites.js';

/** @import { Download } from './downloads.js' */
/**
 * @typedef {{isOn: boolean | null, minBytes: number, extensions: string[], neverSites: string[]}} Rules `isOn`:
 *   null until somebody has decided; `extensions`: only these (`zip`), none: all; `neverSites`: `example.org` with
 *   all below it
 * @typedef {Pick<chrome.downloads.DownloadItem, 'url' | 'finalUrl' | 'referrer' | 'filename' | 'startTime' | 'state'
 *   | 'totalBytes' | 'incognito' | 'byExtensionId' | 'mime'>} Item
 */

/** Older ones were begun before, and the browser only goes on with them: at its start, or on “Resume”. */
const FRESH_SECONDS = 10;

/** The address where the file really is, after redirects. @param {Item} item */
export function addressOf({ finalUrl, url }) {
  return finalUrl || url;
}

/**
 * The name that the page gave it (`<a download="…">`). A path is where the browser has begun to write (Firefox).
 * @param {Item} item
 * @returns {{filename?: string}}
 */
export function nameOf({ filename }) {
  return filename && !/[/\\]/.test(filename) ? { filename } : {};
}

/**
 * Whether the server is to be asked at all. What has a size that nobody knows yet is wanted.
 * @param {Item} item
 * @param {Rules} rules
 * @param {string} server its own files are the browser's to fetch
 * @param {number} now milliseconds since 1970
 */
export function isWanted(item, rules, server, now) {
  const url = addressOf(item);
  if (!rules.isOn || item.incognito || item.byExtensionId || !/^https?:\/\//i.test(url)) return false;
  if (item.state !== 'in_progress' || now - Date.parse(item.startTime) > FRESH_SECONDS * 1000) return false;
  if (url.startsWith(`${server}/`) || /^(text\/html|application\/xhtml\+xml)\b/i.test(item.mime)) return false;
  if (item.totalBytes >= 0 && item.totalBytes < rules.minBytes) return false;
  if (rules.extensions.length && !rules.extensions.includes(extensionOf(item.filename || url))) return false;
  return ![url, item.referrer ?? ''].some((address) => isOnSite(address, rules.neverSites));
}

/** `a/Setup.EXE` → `exe` @param {string} name a file name or an address */
export function extensionOf(name) {
  const path = URL.canParse(name) ? new URL(name).pathname : name;
  return /\.([a-z0-9]{1,8})$/i.exec(path)?.[1]?.toLowerCase() ?? '';
}

/**
 * Whether the server has the file that the browser was given: bytes of a file, of the same size. A page (“sign in
 * first”), an error or another size is somebody else's file.
 * @param {Pick<Download, 'status' | 'kind' | 'received_bytes' | 'total_bytes'>} download
 * @param {number} totalBytes as the browser knows it, below 0: unknown
 * @returns {'yes' | 'no' | 'wait'}
 */
export function hasIt({ status, kind, received_bytes, total_bytes }, totalBytes) {
  if (status === 'failed' || status === 'paused') return 'no';
  if (kind !== null && !isSame({ kind, total_bytes }, totalBytes)) return 'no';
  const isRunning = status === 'downloading' || status === 'processing';
  return status === 'completed' || (isRunning && kind === 'file' && received_bytes > 0) ? 'yes' : 'wait';
}

/** @param {{kind: string | null, total_bytes: number | null}} offered @param {number} totalBytes */
export function isSame({ kind, total_bytes }, totalBytes) {
  return kind === 'file' && (total_bytes === null || totalBytes < 0 || total_bytes === totalBytes);
}
