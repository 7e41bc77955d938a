// @ts-check
/** The server's HTTP calls. Each answers what the contract says, or throws a {@link ServerProblem}. */

import { translated } from './i18n.js';
import { ServerProblem } from './problems.js';
import { hostPattern } from './settings.js';

/** @import { Cookie } from './cookies.js' */
/** @import { Action, Download } from './downloads.js' */
/** @import { Server } from './settings.js' */
/**
 * @typedef {{url: string, referrer?: string, headers?: Record<string, string>, cookies?: Cookie[],
 *   filename?: string, on_duplicate?: 'skip'}} Submission
 *   what `POST /api/downloads` takes from us
 * @typedef {{kind: string, title: string | null, filename: string | null, total_bytes: number | null,
 *   duration_seconds: number | null, formats: {height?: number | null}[]}} Offer what `POST /api/probe` answers
 * @typedef {{status: string, version: string, api: number}} Health
 */

const TIMEOUT_SECONDS = 10;
/** What a reverse proxy answers while the server behind it does not. */
const PROXY_WAITS = [502, 503, 504];

/** Hand over an address. At once: the server fetches nothing before it answers. @param {Server} server @param {Submission} submission */
export async function submit(server, submission) {
  const download = /** @type {Download} */ (await call(server, 'POST', '/api/downloads', submission));
  if (!Number.isInteger(download?.id)) throw new ServerProblem('not-idm', server.url);
  return download;
}

/** Hand over many addresses. @param {Server} server @param {Omit<Submission, 'url'> & {urls: string[]}} many @returns {Promise<Download[]>} */
export async function submitMany(server, many) {
  const answer = await call(server, 'POST', '/api/downloads', many);
  if (!Array.isArray(answer?.downloads)) throw new ServerProblem('not-idm', server.url);
  return answer.downloads;
}

/** What is there, without downloading; takes as long as the site takes. @param {Server} server @param {Submission} submission @param {number} seconds @returns {Promise<Offer>} */
export function probe(server, submission, seconds) {
  return call(server, 'POST', '/api/probe', submission, seconds);
}

/** @param {Server} server @param {number} id @param {Action} action @returns {Promise<Download>} */
export function act(server, id, action) {
  return call(server, 'POST', `/api/downloads/${id}/${action}`);
}

/** Take it off the list; a finished file stays where it is, unless `withFile`. @param {Server} server @param {number} id */
export function remove(server, id, withFile = false) {
  return call(server, 'DELETE', `/api/downloads/${id}${withFile ? '?file=true' : ''}`);
}

/** @param {Server} server @param {number} id @returns {Promise<Download>} */
export function read(server, id) {
  return call(server, 'GET', `/api/downloads/${id}`);
}

/** Who answers there. @param {Server} server @returns {Promise<Health>} */
export async function health(server) {
  const answer = await call(server, 'GET', '/api/health');
  if (answer?.status !== 'ok' || !Number.isInteger(answer.api)) throw new ServerProblem('not-idm', server.url);
  return answer;
}

/** Whether it lets us look; throws if not. @param {Server} server */
export function knock(server) {
  return call(server, 'GET', '/api/stats');
}

/** Trade a code that the dashboard shows for a token of our own. @param {string} url @param {string} code @param {string} name @returns {Promise<string>} */
export async function pair(url, code, name) {
  const answer = await call({ url, token: null }, 'POST', `/api/pairings/${encodeURIComponent(code)}`, { name });
  if (typeof answer?.token !== 'string') throw new ServerProblem('not-idm', url);
  return answer.token;
}

/**
 * @param {Server} server
 * @param {'GET' | 'POST' | 'DELETE'} method
 * @param {string} path
 * @param {object} [body]
 * @param {number} [seconds]
 * @returns {Promise<any>} the decoded answer, null where there is none
 */
async function call(server, method, path, body, seconds = TIMEOUT_SECONDS) {
  const response = await request(server, method, path, body, seconds);
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
  throw refusalOf(server, response, answer);
}

/** Why the server does not do it. @param {string} code @param {string} message */
function refusalWords(code, message) {
  return translated('refusal', code, translated('failure', code, message));
}

/** @param {Server} server @param {Response} response @param {any} answer */
function refusalOf({ url, token }, response, answer) {
  const isOurs = response.headers.get('content-type')?.startsWith('application/problem+json') && answer?.message;
  const message = isOurs ? refusalWords(answer.code, answer.message) : '';
  if (response.status === 401) return new ServerProblem(token ? 'pairing-ended' : 'not-paired', url);
  if ([403, 421].includes(response.status)) return new ServerProblem('refused', url, message);
  if (isOurs) return new ServerProblem('rejected', url, message, answer.field);
  return new ServerProblem(PROXY_WAITS.includes(response.status) ? 'offline' : 'not-idm', url);
}

/** @param {Server} server @param {string} method @param {string} path @param {object | undefined} body @param {number} seconds */
async function request({ url, token }, method, path, body, seconds) {
  /** @type {Record<string, string>} */
  const headers = body ? { 'Content-Type': 'application/json' } : {};
  if (token) headers.Authorization = `Bearer ${token}`;
  try {
    return await fetch(url + path, {
      method,
      headers,
      body: body && JSON.stringify(body),
      credentials: 'omit',
      cache: 'no-store',
      signal: AbortSignal.timeout(seconds * 1000),
    });
  } catch (error) {
    const isTimeout = error instanceof DOMException && error.name === 'TimeoutError';
    if (isTimeout) throw new ServerProblem('too-slow', url);
    throw new ServerProblem((await isAllowed(url)) ? 'offline' : 'not-allowed', url);
  }
}

/** People can take the permission for any host back, on the browser's own page. @param {string} server */
function isAllowed(server) {
  return chrome.permissions.contains({ origins: [hostPattern(server)] });
}
