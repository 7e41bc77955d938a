// @ts-check
/** Many addresses at once: one that the server will not have does not keep back the others. */

import * as api from '../shared/api.js';
import { ServerProblem, problemWords } from '../shared/problems.js';

/** @import { Download } from '../shared/downloads.js' */
/** @import { Server } from '../shared/settings.js' */
/** @import { Submission } from '../shared/api.js' */
/** @typedef {Omit<Submission, 'url'> & {urls: string[]}} Many */

/** With more than these, something is wrong with all. */
const MAX_REFUSED = 50;

/**
 * The server takes all or none and names the first that it refuses: that one is left out. Throws if none is left.
 * @param {Server} server
 * @param {Many} many
 * @returns {Promise<{downloads: Download[], refused: string[]}>} `refused`: addresses, each with the reason
 */
export async function submitTakeable(server, many) {
  const urls = [...many.urls];
  /** @type {string[]} */
  const refused = [];
  for (;;) {
    try {
      return { downloads: await api.submitMany(server, { ...many, urls }), refused };
    } catch (error) {
      const place = placeIn(error);
      const [url] = place === null ? [] : urls.splice(place, 1);
      if (!url || !urls.length || refused.length === MAX_REFUSED) throw error;
      refused.push(`${url}: ${problemWords(/** @type {ServerProblem} */ (error).problem)}`);
    }
  }
}

/** Which of `urls` it is about, or null: `urls[3]`, `urls.3`. @param {unknown} error */
function placeIn(error) {
  const place = error instanceof ServerProblem && /^urls[.[](\d+)/.exec(error.problem.field ?? '')?.[1];
  return place ? Number(place) : null;
}
