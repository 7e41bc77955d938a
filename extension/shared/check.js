// @ts-check
/** Find out what answers at a server's address: the options page's Test, and the reason why a feed does not open. */

import { health } from './api.js';
import { ServerProblem, versionProblem } from './problems.js';
import { feedAddress } from './settings.js';

/** What the feed speaks; the server chooses it in its answer to the handshake. */
export const SUBPROTOCOL = 'idm.v1';
const HELLO_TIMEOUT_SECONDS = 5;

/** @import { Health } from './api.js' */

/**
 * The server's health, where it is one that this extension can talk to. Throws a {@link ServerProblem}.
 * @param {string} server
 * @returns {Promise<Health>}
 */
export async function checkHealth(server) {
  const answer = await health(server);
  const problem = versionProblem(answer.api);
  if (problem) throw new ServerProblem(problem, server);
  return answer;
}

/**
 * As {@link checkHealth}, and that it lets this extension in, which only the feed tells: a GET carries no origin.
 * @param {string} server
 * @returns {Promise<Health & {roundTripMs: number}>}
 */
export async function checkServer(server) {
  const begun = performance.now();
  const answer = await checkHealth(server);
  const roundTripMs = performance.now() - begun;
  if (!(await saysHello(server))) throw new ServerProblem('refused', server);
  return { ...answer, roundTripMs };
}

/** Whether the feed opens and speaks. @param {string} server @returns {Promise<boolean>} */
function saysHello(server) {
  return new Promise((resolve) => {
    const socket = new WebSocket(feedAddress(server), SUBPROTOCOL);
    const timer = setTimeout(() => finish(false), HELLO_TIMEOUT_SECONDS * 1000);
    /** @param {boolean} spoke */
    const finish = (spoke) => {
      clearTimeout(timer);
      resolve(spoke);
      socket.close();
    };
    socket.onmessage = () => finish(true);
    socket.onclose = () => finish(false);
  });
}
