// @ts-check
/**
 * The browser's downloads, taken over. The order is what keeps them from being lost: the browser goes on and is only
 * held before it names its file; the server fetches the same address; only when it has the first bytes of the same
 * file is the browser's own download cancelled. Whatever else happens, within four seconds the browser keeps it.
 *
 * The server's download is itself the proof: no second request is spent on a probe where a link works only so often.
 * Behind a full queue, where nothing begins, a probe has to do.
 */

import * as api from '../shared/api.js';
import { forgetRecent, once } from '../shared/once.js';
import { problemIn } from '../shared/problems.js';
import { addressOf, hasIt, isSame, isWanted, nameOf } from '../shared/rules.js';
import { readServer, readSettings, serverIn } from '../shared/settings.js';
import { siteOf } from '../shared/sites.js';
import { lookIn } from './live.js';
import { equipped } from './submissions.js';

/** @import { Download } from '../shared/downloads.js' */
/** @import { Item } from '../shared/rules.js' */
/** @import { Server, Settings } from '../shared/settings.js' */
/** @import { Submission } from '../shared/api.js' */

const HOLD_SECONDS = 4;
const LOOK_EVERY_MS = 80;
const QUEUED_SECONDS = 0.5;
const BYPASS_SECONDS = 3;
const BYPASS_KEY = 'bypass-until';
/** In `chrome.storage.session`: `{server, id, url}` of downloads that the browser kept, and the server could not be told. */
const UNDONE_KEY = 'undone';

/** @type {Settings | undefined} as they were last, so that what is not wanted is let go without waiting */
let cached;
/** Until when the next download is the browser's, in milliseconds since 1970: Alt was held, or the menu says so. */
let bypassUntil = 0;
/** Ids of the server's downloads that stand in for one of the browser's. @type {Set<number>} */
const taken = new Set();
/** One change of what is kept after the other. @type {Promise<unknown>} */
let inTurn = Promise.resolve();
const restored = restore();

export async function refreshRules() {
  cached = await readSettings();
}

/** Leave what begins in the next seconds to the browser; longer than the worker may live. */
export async function leaveToBrowser(seconds = BYPASS_SECONDS) {
  bypassUntil = Date.now() + seconds * 1000;
  await chrome.storage.session.set({ [BYPASS_KEY]: bypassUntil });
}

async function restore() {
  const [stored] = await Promise.all([chrome.storage.session.get(BYPASS_KEY), refreshRules()]);
  bypassUntil = Math.max(bypassUntil, Number(stored[BYPASS_KEY] ?? 0));
}

/**
 * `onDeterminingFilename`: true holds the download until `suggest` is called.
 * @param {chrome.downloads.DownloadItem} item
 * @param {() => void} suggest
 * @param {(download: Download) => unknown} onTaken
 */
export function hold(item, suggest, onTaken) {
  if (cached && !isOurs(item, cached)) return undefined;
  void takeOver(item, onTaken).finally(suggest);
  return true;
}

/**
 * Browsers without that event (Firefox): the download goes on meanwhile. Paused, it could be lost: Firefox cancels one
 * that its site cannot continue.
 * @param {chrome.downloads.DownloadItem} item
 * @param {(download: Download) => unknown} onTaken
 */
export async function takeMeanwhile(item, onTaken) {
  if (!cached || isOurs(item, cached)) await takeOver(item, onTaken);
}

/** @param {Item} item @param {Settings} settings */
function isOurs(item, { takeOver: rules, servers }) {
  if (Date.now() <= bypassUntil) return false;
  return servers.every((server) => isWanted(item, rules, server, Date.now())); // none of their own files
}

/** @param {chrome.downloads.DownloadItem} item @param {(download: Download) => unknown} onTaken */
async function takeOver(item, onTaken) {
  try {
    const [settings] = await Promise.all([readSettings(), restored]);
    if (!isOurs(item, settings)) return;
    const download = await handOver(item, settings);
    if (await isOver(item.id)) return void undo(serverIn(settings), download);
    taken.add(download.id);
    await chrome.downloads.cancel(item.id);
    await chrome.downloads.erase({ id: item.id });
    onTaken(download);
  } catch {
    // the browser keeps it
  }
}

/** Whether the browser has all of it by now, or the person has cancelled it there. @param {number} itemId */
async function isOver(itemId) {
  const [item] = await chrome.downloads.search({ id: itemId });
  return !item || item.state === 'complete' || item.error === 'USER_CANCELED';
}

/**
 * The server's download, once it has the file. Throws if it has not. Two clicks hand over one, but each looks for itself
 * whether it is there: the other may have taken it back.
 * @param {Item} item @param {Settings} settings @returns {Promise<Download>}
 */
async function handOver(item, settings) {
  const server = serverIn(settings);
  const until = performance.now() + HOLD_SECONDS * 1000;
  const referrer = siteOf(item.referrer) ? { referrer: item.referrer } : {};
  const named = { url: addressOf(item), ...referrer, ...nameOf(item) };
  const submission = await equipped(named, settings, { withAgent: true });
  const submitted = once(`take ${submission.url} to ${server.url}`, () => api.submit(server, submission));
  try {
    const { id } = await before(until, submitted);
    return await before(until, proof(server, id, submission, item.totalBytes, until));
  } catch (error) {
    void submitted.then((download) => undo(server, download), () => {}); // also when its answer comes too late
    throw error;
  }
}

/** @param {Server} server @param {number} id @param {Submission} submission @param {number} totalBytes @param {number} until */
async function proof(server, id, submission, totalBytes, until) {
  const queuedUntil = performance.now() + QUEUED_SECONDS * 1000;
  for (;;) {
    const download = await api.read(server, id);
    let verdict = hasIt(download, totalBytes);
    if (verdict === 'wait' && download.status === 'queued' && performance.now() > queuedUntil) {
      const offer = await api.probe(server, submission, (until - performance.now()) / 1000);
      verdict = isSame(offer, totalBytes) ? 'yes' : 'no';
    }
    if (verdict === 'yes') return download;
    if (verdict === 'no' || performance.now() > until) throw new Error('The server does not have it.');
    await pause(LOOK_EVERY_MS);
  }
}

/** @template T @param {number} until by `performance.now()` @param {Promise<T>} work @returns {Promise<T>} */
async function before(until, work) {
  const late = pause(until - performance.now()).then(() => {
    throw new Error('The server is slow.');
  });
  return Promise.race([work, late]);
}

/** @param {number} milliseconds */
function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));
}

/** The browser kept it, so the server shall not have it as well. @param {Server} server @param {Download} download */
async function undo(server, { id, url }) {
  if (taken.has(id)) return; // another click's
  forgetRecent();
  try {
    await api.remove(server, id, true);
  } catch (error) {
    if (isAnswered(error)) return;
    await remember((undone) => [...undone, { server: server.url, id, url }]);
    void lookIn();
  }
}

/** The server is there again: what it should not have is taken off its list. */
export async function undoRest() {
  const server = await readServer();
  for (const one of (await readUndone()).filter((undone) => undone.server === server.url)) {
    try {
      const { url } = await api.read(server, one.id);
      if (url === one.url) await api.remove(server, one.id, true); // else it is another server's list by now
    } catch (error) {
      if (!isAnswered(error)) return;
    }
    await remember((undone) => undone.filter(({ server: where, id }) => where !== one.server || id !== one.id));
  }
}

/** Whether the server has answered, that it has no such download. @param {unknown} error */
function isAnswered(error) {
  return problemIn(error).code === 'rejected';
}

/** @typedef {{server: string, id: number, url: string}} Undone */
/** @returns {Promise<Undone[]>} */
async function readUndone() {
  const stored = await chrome.storage.session.get(UNDONE_KEY);
  return /** @type {Undone[]} */ (stored[UNDONE_KEY] ?? []);
}

/** @param {(undone: Undone[]) => Undone[]} change */
function remember(change) {
  const changed = inTurn.then(async () => chrome.storage.session.set({ [UNDONE_KEY]: change(await readUndone()) }));
  inTurn = changed.catch(() => {});
  return changed;
}
