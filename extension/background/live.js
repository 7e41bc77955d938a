// @ts-check
/**
 * What the worker knows: the downloads, the connection, who has a popup open. The worker's memory comes and goes; it
 * is only a cache of `chrome.storage.session`, and what stands there is marked as old until the feed has spoken.
 */

import * as api from '../shared/api.js';
import { applySnapshot, applyUpdate, endings, inOrder, totals } from '../shared/downloads.js';
import { KNOWN_KEY, Tell } from '../shared/messages.js';
import { forgetRecent } from '../shared/once.js';
import { addressesOf, readOutbox } from '../shared/outbox.js';
import { DEFAULT_SERVER, readServer } from '../shared/settings.js';
import { showState } from './badge.js';
import { Feed } from './feed.js';
import { announce } from './notices.js';

/** @import { Change, Download, Downloads } from '../shared/downloads.js' */
/** @import { Connection, Known, Push } from '../shared/messages.js' */
/** @import { Server } from '../shared/settings.js' */

/** As many as a popup shows at first, with room. */
const KEPT_DOWNLOADS = 100;
const SAVE_SECONDS = 1;
/** A popup that closes is often opened again. */
const RELEASE_SECONDS = 5;

/** @type {Downloads} */
const downloads = new Map();
/** @type {Connection} */
let connection = { state: 'connecting', problem: null };
/** @type {Server} */
let server = { url: DEFAULT_SERVER, token: null };
/** How many addresses the server could not be given yet. */
let waiting = 0;
/** @type {Set<chrome.runtime.Port>} */
const popups = new Set();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let saveTimer;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let releaseTimer;

/** @type {() => unknown} */
let connectedListener = () => undefined;

const feed = new Feed({ onConnection, onSnapshot, onUpdate, isNeeded });
const restored = restore();

/** @param {number} id @returns {Promise<Download | undefined>} */
export async function downloadOf(id) {
  await restored;
  return downloads.get(id);
}

/** A popup opened: it gets what is known at once, and the feed is opened without waiting. @param {chrome.runtime.Port} port */
export async function addPopup(port) {
  popups.add(port);
  port.onDisconnect.addListener(() => {
    popups.delete(port);
    settle();
  });
  await restored;
  if (!popups.has(port)) return;
  port.postMessage({ type: Tell.KNOWN, known: known() });
  settle();
  feed.openNow(server);
}

/** Look whether something goes on at the server; stays connected if so. */
export async function lookIn() {
  await restored;
  feed.open(server);
}

/** Do not wait for the next attempt. */
export async function reconnect() {
  await restored;
  feed.openNow(server);
}

/** For the badge. It is tried for once a minute, not all the time: a server may be away for days. */
export async function countWaiting() {
  await restored;
  await readWaiting();
  keep();
}

/** @param {() => unknown} listener called whenever the feed stands */
export function whenConnected(listener) {
  connectedListener = listener;
}

/** The settings changed: another server's downloads are none of this one's. */
export async function changeServer() {
  await restored;
  const wanted = await readServer();
  if (wanted.url === server.url && wanted.token === server.token) return;
  if (wanted.url !== server.url) downloads.clear();
  server = wanted;
  feed.openNow(server);
  tellKnown();
}

/**
 * Lay changes over what is known and tell everybody: from the feed, or an answer that came before it.
 * @param {Change[]} changes
 * @param {number[]} [removed]
 */
export function onUpdate(changes, removed = []) {
  const before = new Map(downloads);
  const unknown = applyUpdate(downloads, changes, removed);
  tellEnds(before);
  tell({ type: Tell.UPDATE, downloads: changes, removed });
  for (const id of unknown) void fetchWhole(id);
  if (removed.length || changes.some(({ status }) => status === 'failed')) forgetRecent(); // sent again, it is meant
  settle();
}

/** Tell the open popups. @param {Push} push @returns {boolean} whether there is one */
export function tell(push) {
  for (const popup of popups) popup.postMessage(push);
  return popups.size > 0;
}

/** @param {Download[]} whole */
function onSnapshot(whole) {
  const before = new Map(downloads);
  applySnapshot(downloads, whole);
  tellEnds(before);
  connection = { state: 'connected', problem: null };
  tellKnown();
  settle();
  connectedListener();
}

/** @param {Connection} now */
function onConnection(now) {
  connection = now;
  tell({ type: Tell.CONNECTION, connection });
  keep();
}

/** What ended while nobody looks is told by the system. @param {Downloads} before */
function tellEnds(before) {
  if (popups.size === 0) for (const ended of endings(before, downloads)) void announce(ended);
}

function isNeeded() {
  return popups.size > 0 || totals(downloads).active > 0;
}

/** After any change: the badge, and soon the copy in storage. */
function keep() {
  showState(totals(downloads), connection.state, waiting);
  saveTimer ??= setTimeout(save, SAVE_SECONDS * 1000);
}

/** After a change of what goes on, or of who looks: the feed stays open only while it is of use. */
function settle() {
  keep();
  clearTimeout(releaseTimer);
  if (isNeeded()) feed.open(server);
  else if (connection.state === 'connected') releaseTimer = setTimeout(release, RELEASE_SECONDS * 1000);
}

function release() {
  feed.close();
  connection = { state: 'connecting', problem: null }; // what is known ages from now on
}

/** A download outside the snapshot goes on again, and the feed told only what changed. @param {number} id */
async function fetchWhole(id) {
  const download = await api.read(server, id).catch(() => null);
  if (download) onUpdate([download]);
}

/** @returns {Known} */
function known() {
  return { server: server.url, connection, downloads: [...downloads.values()] };
}

function tellKnown() {
  tell({ type: Tell.KNOWN, known: known() });
}

async function save() {
  saveTimer = undefined;
  const newest = inOrder(downloads).slice(0, KEPT_DOWNLOADS);
  const kept = newest.map((id) => downloads.get(id));
  await chrome.storage.session.set({ [KNOWN_KEY]: { ...known(), downloads: kept } });
}

async function restore() {
  const [wanted, stored] = await Promise.all([readServer(), chrome.storage.session.get(KNOWN_KEY), readWaiting()]);
  server = wanted;
  const last = /** @type {Known | undefined} */ (stored[KNOWN_KEY]);
  if (last?.server !== server.url) return;
  applySnapshot(downloads, last.downloads);
  showState(totals(downloads), last.connection.state, waiting);
}

async function readWaiting() {
  waiting = (await readOutbox()).flatMap(addressesOf).length;
}
