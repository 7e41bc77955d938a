// @ts-check
/** The server's HTTP calls. Each answers what the contract says, or throws a {@link ServerProblem}. */

import { ServerProblem } from './problems.js';

/** @import { Action, Download } from './downloads.js' */
/** @typedef {{url: string, referrer?: string}} Submission what `POST /api/downloads` takes from us */
/** @typedef {{status: string, version: string, api: number}} Health */

const TIMEOUT_SECONDS = 10;
const REFUSALS = [401, 403, 421];

/** Hand over an address. At once: the server fetches nothing before it answers. @param {string} server @param {Submission} submission */
export async function submit(server, submission) {
  const download = /** @type {Download} */ (await call(server, 'POST', '/api/downloads', submission));
  if (!Number.isInteger(download?.id)) throw new ServerProblem('not-idm', server);
  return download;
}

/** @param {string} server @param {number} id @param {Action} action @returns {Promise<Download>} */
export function act(server, id, action) {
  return call(server, 'POST', `/api/downloads/${id}/${action}`);
}

/** Take it off the list; a finished file stays where it is. @param {string} server @param {number} id */
export function remove(server, id) {
  return call(server, 'DELETE', `/api/downloads/${id}`);
}

/** @param {string} server @param {number} id @returns {Promise<Download>} */
export function read(server, id) {
  return call(server, 'GET', `/api/downloads/${id}`);
}

/** Who answers there. @param {string} server @returns {Promise<Health>} */
export async function health(server) {
  const answer = await call(server, 'GET', '/api/health');
  if (answer?.status !== 'ok' || !Number.isInteger(answer.api)) throw new ServerProblem('not-idm', server);
  return answer;
}

/**
 * @param {string} server
 * @param {'GET' | 'POST' | 'DELETE'} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>} the decoded answer, null where there is none
 */
async function call(server, method, path, body) {
  const response = await request(server, method, path, body);
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
  const isOurs = response.headers.get('content-type')?.startsWith('application/problem+json') && answer?.message;
  if (REFUSALS.includes(response.status)) throw new ServerProblem('refused', server, isOurs ? answer.message : '');
  if (isOurs) throw new ServerProblem('rejected', server, answer.message);
  throw new ServerProblem('not-idm', server);
}

/** @param {string} server @param {string} method @param {string} path @param {object} [body] */
async function request(server, method, path, body) {
  try {
    return await fetch(server + path, {
      method,
      headers: body && { 'Content-Type': 'application/json' },
      body: body && JSON.stringify(body),
      credentials: 'omit',
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_SECONDS * 1000),
    });
  } catch (error) {
    const isTimeout = error instanceof DOMException && error.name === 'TimeoutError';
    throw new ServerProblem(isTimeout ? 'too-slow' : 'offline', server);
  }
}
