// @ts-check
/** Find out what answers at a server's address: the options page's Test, and the reason why a feed does not open. */

import { health, knock } from './api.js';
import { ServerProblem, versionProblem } from './problems.js';
import { feedAddress } from './settings.js';

/** What the feed speaks; the server chooses it in its answer to the handshake. */
const SUBPROTOCOL = 'idm.v1';
const HELLO_TIMEOUT_SECONDS = 5;

/** @import { Health } from './api.js' */
/** @import { Server } from './settings.js' */

/** The feed's socket. A token travels as a subprotocol, so that it stands in no address. @param {Server} server */
export function openFeed({ url, token }) {
  return new WebSocket(feedAddress(url), token ? [SUBPROTOCOL, `bearer.${token}`] : [SUBPROTOCOL]);
}

/**
 * The server's health, where it is one that this extension can talk to and that lets it look. Throws a {@link ServerProblem}.
 * @param {Server} server
 * @returns {Promise<Health>}
 */
export async function checkHealth(server) {
  const answer = await health(server);
  const problem = versionProblem(answer.api);
  if (problem) throw new ServerProblem(problem, server.url);
  await knock(server);
  return answer;
}

/**
 * As {@link checkHealth}, and that it lets this extension in, which only the feed tells: a GET carries no origin.
 * @param {Server} server
 * @returns {Promise<Health & {roundTripMs: number}>}
 */
export async function checkServer(server) {
  const begun = performance.now();
  await health(server);
  const roundTripMs = performance.now() - begun;
  const answer = await checkHealth(server);
  if (!(await saysHello(server))) throw new ServerProblem('refused', server.url);
  return { ...answer, roundTripMs };
}

/** Whether the feed opens and speaks. @param {Server} server @returns {Promise<boolean>} */
function saysHello(server) {
  return new Promise((resolve) => {
    const socket = openFeed(server);
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
