// @ts-check
/** Everything that can go wrong between the extension and its server, and the words for it. */

import { t } from './i18n.js';

/**
 * @typedef {'offline' | 'too-slow' | 'not-paired' | 'pairing-ended' | 'refused' | 'not-allowed' | 'not-idm' | 'server-too-old' | 'server-too-new' | 'rejected'
 *   | 'nothing-to-send' | 'not-finished'} ProblemCode
 * @typedef {{code: ProblemCode, server: string, message: string, field?: string}} Problem `message`: the server's own words, or
 *   empty; `field`: what they are about, where the server names it
 */

/** The interface's version that this extension speaks: `hello.api` and `health.api`. */
export const API = 1;

/** @type {Record<ProblemCode, string>} */
const KEYS = {
  offline: 'problemOffline',
  'too-slow': 'problemTooSlow',
  'not-paired': 'problemNotPaired',
  'pairing-ended': 'problemPairingEnded',
  refused: 'problemRefused',
  'not-allowed': 'problemNotAllowed',
  'not-idm': 'problemNotIdm',
  'server-too-old': 'problemServerTooOld',
  'server-too-new': 'problemServerTooNew',
  rejected: 'problemRejected',
  'nothing-to-send': 'problemNothingToSend',
  'not-finished': 'problemNotFinished',
};

/** A {@link Problem} as it is thrown. */
export class ServerProblem extends Error {
  /** @param {ProblemCode} code @param {string} [server] @param {string} [message] the server's own words @param {string} [field] */
  constructor(code, server = '', message = '', field) {
    super(message || code);
    /** @type {Problem} */
    this.problem = { code, server, message, ...(field ? { field } : {}) };
  }
}

/** What happened and what to do about it. @param {Problem} problem */
export function problemWords({ code, server, message }) {
  if (code === 'rejected' && message) return message;
  const words = t(KEYS[code], server);
  return code === 'refused' && message ? `${words} ${message}` : words;
}

/** Whether the server could not be asked, so that the same may be taken later. @param {Problem} problem */
export function isPassing({ code }) {
  return !['rejected', 'nothing-to-send', 'not-finished'].includes(code);
}

/** What is wrong with a server that speaks version `api` of the interface, or null. @param {number} api @returns {ProblemCode | null} */
export function versionProblem(api) {
  if (api === API) return null;
  return api > API ? 'server-too-new' : 'server-too-old';
}

/** The problem in anything caught. @param {unknown} error @returns {Problem} */
export function problemIn(error) {
  if (error instanceof ServerProblem) return error.problem;
  return { code: 'rejected', server: '', message: error instanceof Error ? error.message : String(error) };
}
