// @ts-check
/** Every message between the popup and the worker. Requests are answered; the rest is pushed over the popup's port. */

/** @import { Action, Change, Download } from './downloads.js' */
/** @import { Problem } from './problems.js' */
/** @import { Offer, Submission } from './api.js' */

/** The name of a popup's port. */
export const POPUP_PORT = 'popup';

/** What a page's script says when Alt is held; the only thing it may say. */
export const LEAVE_TO_BROWSER = 'leave-to-browser';

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
  SUBMIT_MANY: 'submit-many',
  LOOK: 'look',
  ACT: 'act',
  REMOVE: 'remove',
  SAVE: 'save',
  IN_BROWSER: 'in-browser',
  RECONNECT: 'reconnect',
  DISCARD: 'discard',
  OPEN_DASHBOARD: 'open-dashboard',
});

/**
 * @typedef {{type: typeof Ask.SUBMIT, submission: Submission, isMedia?: boolean}
 *   | {type: typeof Ask.SUBMIT_MANY, many: {urls: string[], referrer?: string, on_duplicate?: 'skip'}}} Sending
 * @typedef {Sending
 *   | {type: typeof Ask.LOOK, submission: Submission}
 *   | {type: typeof Ask.ACT, id: number, action: Action}
 *   | {type: typeof Ask.REMOVE | typeof Ask.SAVE | typeof Ask.IN_BROWSER, id: number}
 *   | {type: typeof Ask.RECONNECT | typeof Ask.DISCARD}
 *   | {type: typeof Ask.OPEN_DASHBOARD, path?: string}} Request
 * @typedef {{ok: boolean, text: string, problem?: Problem, isKept?: boolean, isPartial?: boolean, offer?: Offer}} Answer `text`: what to tell the
 *   person, may be empty; `isKept`: it is sent later; `isPartial`: what the server would have has begun; `offer`: what {@link Ask.LOOK} found
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
