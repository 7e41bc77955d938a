// @ts-check
/** Every message between the popup and the worker. Requests are answered; the rest is pushed over the popup's port. */

/** @import { Action, Change, Download } from './downloads.js' */
/** @import { Problem } from './problems.js' */
/** @import { Submission } from './api.js' */

/** The name of a popup's port. */
export const POPUP_PORT = 'popup';

/** Where `chrome.storage.session` keeps what the worker knew last ({@link Known}), for a popup's first paint. */
export const KNOWN_KEY = 'known';

/** Where `chrome.storage.session` keeps a {@link Notice} of something that went wrong while no popup was open. */
export const NOTICE_KEY = 'notice';

/**
 * @typedef {'connected' | 'connecting' | 'offline'} ConnectionState
 * @typedef {{state: ConnectionState, problem: Problem | null}} Connection `problem`: why it is offline
 * @typedef {{server: string, connection: Connection, downloads: Download[]}} Known
 * @typedef {{kind: 'success' | 'error', text: string, at: number}} Notice `at`: milliseconds since 1970
 */

/** What a popup asks of the worker. */
export const Ask = Object.freeze({
  SUBMIT: 'submit',
  ACT: 'act',
  REMOVE: 'remove',
  SAVE: 'save',
  RECONNECT: 'reconnect',
  OPEN_DASHBOARD: 'open-dashboard',
});

/**
 * @typedef {{type: typeof Ask.SUBMIT, submission: Submission}
 *   | {type: typeof Ask.ACT, id: number, action: Action}
 *   | {type: typeof Ask.REMOVE | typeof Ask.SAVE, id: number}
 *   | {type: typeof Ask.RECONNECT | typeof Ask.OPEN_DASHBOARD}} Request
 * @typedef {{ok: boolean, text: string}} Answer `text`: what to tell the person, may be empty
 */

/** What the worker tells an open popup. */
export const Tell = Object.freeze({
  KNOWN: 'known',
  CONNECTION: 'connection',
  UPDATE: 'update',
  NOTICE: 'notice',
});

/**
 * @typedef {{type: typeof Tell.KNOWN, known: Known}
 *   | {type: typeof Tell.CONNECTION, connection: Connection}
 *   | {type: typeof Tell.UPDATE, downloads: Change[], removed: number[]}
 *   | {type: typeof Tell.NOTICE, notice: Notice}} Push
 */
