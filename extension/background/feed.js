// @ts-check
/**
 * The one WebSocket to the server. Opens, stays alive, opens again when lost, and says what came.
 *
 * Chrome stops an idle worker after 30 s; only frames that carry data count, in either direction, so the socket
 * pings every 20 s. A server that is silent for two of its own 20 s ticks is taken for lost.
 */

import { delaySeconds } from '../shared/backoff.js';
import { checkHealth, openFeed } from '../shared/check.js';
import { ServerProblem, problemIn, versionProblem } from '../shared/problems.js';

/** @import { Change, Download } from '../shared/downloads.js' */
/** @import { Connection } from '../shared/messages.js' */
/** @import { Problem } from '../shared/problems.js' */
/** @import { Server } from '../shared/settings.js' */
/**
 * @typedef {object} Listener
 * @property {(connection: Connection) => void} onConnection it is being opened, or was not to be had
 * @property {(downloads: Download[]) => void} onSnapshot it stands from here on
 * @property {(changes: Change[], removed: number[]) => void} onUpdate
 * @property {() => boolean} isNeeded whether a lost connection is worth opening again
 * @typedef {{type: 'hello', api: number} | {type: 'snapshot', downloads: Download[]}
 *   | {type: 'update', downloads: Change[], removed: number[]} | {type: 'tick' | 'pong'}} Frame
 */

const PING_SECONDS = 20;
const SILENCE_SECONDS = 45;
const SNAPSHOT_SECONDS = 10;

export class Feed {
  #listener;
  /** @type {Server} */
  #server = { url: '', token: null };
  /** @type {WebSocket | null} */
  #socket = null;
  /** Whether the snapshot has come, and so updates can be trusted. */
  #isLive = false;
  #attempt = 0;
  #heardAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #pingTimer;

  /** @param {Listener} listener */
  constructor(listener) {
    this.#listener = listener;
  }

  /** Open it, unless it is open or already being opened. Not while a retry waits: see {@link openNow}. @param {Server} server */
  open(server) {
    if (this.#isFor(server) && (this.#socket || this.#retryTimer)) return;
    this.openNow(server);
  }

  /** Open it without waiting for the next retry. @param {Server} server */
  openNow(server) {
    if (this.#isFor(server) && this.#socket) return;
    this.close();
    this.#server = server;
    this.#attempt = 0;
    this.#listener.onConnection({ state: 'connecting', problem: null });
    this.#connect();
  }

  /** Close it and stay closed. */
  close() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#drop();
  }

  /** @param {Server} server */
  #isFor({ url, token }) {
    return this.#server.url === url && this.#server.token === token;
  }

  #connect() {
    const socket = openFeed(this.#server);
    this.#socket = socket;
    this.#heardAt = performance.now();
    const isCurrent = () => this.#socket === socket;
    socket.onmessage = ({ data }) => isCurrent() && this.#hear(JSON.parse(data));
    socket.onclose = () => isCurrent() && this.#lose(null);
    this.#pingTimer = setInterval(() => this.#ping(socket), PING_SECONDS * 1000);
    setTimeout(() => isCurrent() && !this.#isLive && this.#lose(null), SNAPSHOT_SECONDS * 1000);
  }

  /** @param {Frame} frame */
  #hear(frame) {
    this.#heardAt = performance.now();
    if (frame.type === 'hello') {
      const problem = versionProblem(frame.api);
      if (problem) this.#lose({ code: problem, server: this.#server.url, message: '' });
    } else if (frame.type === 'snapshot') {
      this.#isLive = true;
      this.#attempt = 0;
      this.#listener.onSnapshot(frame.downloads);
    } else if (frame.type === 'update') {
      this.#listener.onUpdate(frame.downloads, frame.removed);
    }
  }

  /** @param {WebSocket} socket */
  #ping(socket) {
    if (performance.now() - this.#heardAt > SILENCE_SECONDS * 1000) this.#lose(null);
    else if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"ping"}');
  }

  /** It closed, or is no use. One that stood is tried again before anybody is alarmed. @param {Problem | null} problem */
  #lose(problem) {
    const stood = this.#isLive;
    this.#drop();
    const isNeeded = this.#listener.isNeeded();
    if (isNeeded) this.#retryTimer = setTimeout(() => this.#retry(), delaySeconds(this.#attempt++) * 1000);
    if (stood && isNeeded) this.#listener.onConnection({ state: 'connecting', problem: null });
    else void this.#explain(problem);
  }

  #retry() {
    this.#retryTimer = undefined;
    this.#connect();
  }

  /** @param {Problem | null} known */
  async #explain(known) {
    const server = this.#server;
    const problem = known ?? (await reasonOf(server));
    const isPast = this.#isLive || server !== this.#server;
    if (!isPast) this.#listener.onConnection({ state: 'offline', problem });
  }

  #drop() {
    clearInterval(this.#pingTimer);
    const socket = this.#socket;
    this.#socket = null;
    this.#isLive = false;
    socket?.close();
  }
}

/** Why no feed opens there: nothing answers, something else does, or it does not let us in. @param {Server} server */
async function reasonOf(server) {
  try {
    await checkHealth(server);
    // Firefox gives every installation an origin of its own, which no server can know before it is paired.
    const isUnknown = !server.token && chrome.runtime.getURL('').startsWith('moz-');
    return problemIn(new ServerProblem(isUnknown ? 'not-paired' : 'refused', server.url));
  } catch (error) {
    return problemIn(error);
  }
}
