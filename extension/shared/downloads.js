// @ts-check
/**
 * The list of downloads as the feed tells it. Pure: a snapshot replaces the list, updates are laid over it in their
 * order, and what a row needs is derived from the download alone.
 */

/**
 * @typedef {'queued' | 'probing' | 'downloading' | 'processing' | 'paused' | 'completed' | 'failed'} Status
 * @typedef {{code: string, message: string, detail: string, retryable: boolean}} Failure
 * @typedef {object} Download the server's resource; sizes in bytes, rates in bytes per second, unknown is null
 * @property {number} id
 * @property {string} url
 * @property {Status} status
 * @property {'file' | 'media' | 'playlist' | null} kind
 * @property {string | null} title
 * @property {string | null} filename
 * @property {number | null} progress 0–100
 * @property {number} received_bytes
 * @property {number | null} total_bytes
 * @property {boolean} total_is_estimate
 * @property {number | null} bytes_per_second
 * @property {number | null} eta_seconds
 * @property {string | null} phase
 * @property {Failure | null} error
 * @property {string | null} file_url
 * @property {number} revision
 * @typedef {Partial<Download> & {id: number}} Change a whole download, or only what changed of one
 * @typedef {Map<number, Download>} Downloads by id
 * @typedef {'pause' | 'resume' | 'retry'} Action
 */

/** How soon a download needs looking at: running first, then those that wait, then those that are over. */
const RANK = { probing: 0, downloading: 0, processing: 0, queued: 1, paused: 1, completed: 2, failed: 2 };

/** Whether something happens to it now, or will without anybody asking. @param {Download} download */
export function isActive({ status }) {
  return status === 'queued' || RANK[status] === 0;
}

/**
 * Make `downloads` what a snapshot says.
 * @param {Downloads} downloads
 * @param {Download[]} whole
 */
export function applySnapshot(downloads, whole) {
  downloads.clear();
  for (const download of whole) downloads.set(download.id, download);
}

/**
 * Lay an update over `downloads`, in its order: one download may stand in it several times. Changes older than what
 * is known are left out; they overtook each other on two ways (the answer to a request, the feed).
 * @param {Downloads} downloads
 * @param {Change[]} changes
 * @param {number[]} [removed]
 * @returns {number[]} ids that go on, but of which too little is known to show them: to be asked for whole
 */
export function applyUpdate(downloads, changes, removed = []) {
  const unknown = new Set();
  for (const change of changes) {
    const known = downloads.get(change.id);
    if (known && (change.revision ?? known.revision) < known.revision) continue;
    if (known || change.url !== undefined) {
      downloads.set(change.id, /** @type {Download} */ ({ ...known, ...change }));
      unknown.delete(change.id);
    } else if (change.status && RANK[change.status] < 2) {
      unknown.add(change.id);
    }
  }
  for (const id of removed) {
    downloads.delete(id);
    unknown.delete(id);
  }
  return [...unknown];
}

/** Ids as they are first shown: running, waiting, over; the newest first in each. @param {Downloads} downloads */
export function inOrder(downloads) {
  return [...downloads.values()].sort((a, b) => RANK[a.status] - RANK[b.status] || b.id - a.id).map(({ id }) => id);
}

/**
 * The order after an update. Nothing moves under the pointer: rows stay where they are, and only what is new, or
 * has begun to run unseen, comes in at the top. The lowest give way beyond `limit`.
 * @param {number[]} shown
 * @param {Downloads} downloads
 * @param {Iterable<number>} changed ids
 * @param {number} limit
 */
export function arrange(shown, downloads, changed, limit) {
  const stay = shown.filter((id) => downloads.has(id));
  const newest = shown.length ? Math.max(...shown) : 0;
  const come = new Set();
  for (const id of changed) {
    const download = downloads.get(id);
    if (download && !stay.includes(id) && (id > newest || RANK[download.status] === 0)) come.add(id);
  }
  const order = [...[...come].sort((a, b) => b - a), ...stay];
  if (order.length < limit) order.push(...inOrder(downloads).filter((id) => !order.includes(id)));
  return order.slice(0, limit);
}

/** How many are active, their rate together, and how far they are: the progress of the only one, else null. @param {Downloads} downloads */
export function totals(downloads) {
  let active = 0;
  let bytesPerSecond = 0;
  let progress = /** @type {number | null} */ (null);
  for (const download of downloads.values()) {
    if (!isActive(download)) continue;
    active += 1;
    bytesPerSecond += download.bytes_per_second ?? 0;
    progress = active === 1 ? download.progress : null;
  }
  return { active, bytesPerSecond, progress };
}

/** Those that went on before, and have finished or failed. @param {Downloads} before @param {Downloads} after */
export function endings(before, after) {
  return [...after.values()].filter(({ id, status }) => {
    const known = before.get(id);
    return known !== undefined && isActive(known) && RANK[status] === 2;
  });
}

/** What may be asked of it besides removing, or null. @param {Download} download @returns {Action | null} */
export function actionOf({ status }) {
  if (status === 'paused') return 'resume';
  if (status === 'failed') return 'retry';
  return status === 'completed' ? null : 'pause';
}

/** What to call it while little is known: title, file name, or the readable part of its address. @param {Download} download */
export function titleOf({ title, filename, url }) {
  if (title || filename) return title || filename || '';
  try {
    const { hostname, pathname } = new URL(url);
    const last = pathname.split('/').findLast(Boolean);
    return last ? `${decodeURIComponent(last)} – ${hostname}` : hostname;
  } catch {
    return url;
  }
}
