// @ts-check
/** What goes to the server with an address: the browser's name, and by consent the site's cookies. */

import { cookiesFor } from '../shared/cookies.js';

/** @import { Settings } from '../shared/settings.js' */
/** @import { Submission } from '../shared/api.js' */

/**
 * `submission` with all that the site would get from the browser itself. The agent goes with cookies always: many
 * sites tie a session to it.
 * @template {Omit<Submission, 'url'> & {url?: string}} T
 * @param {T} submission
 * @param {Settings} settings
 * @param {{withAgent?: boolean}} [options]
 * @returns {Promise<T>}
 */
export async function equipped(submission, settings, { withAgent = false } = {}) {
  const addresses = [submission.url, submission.referrer].filter((address) => address !== undefined);
  const cookies = await cookiesFor(addresses, settings);
  return {
    ...submission,
    ...(cookies.length ? { cookies } : {}),
    ...(cookies.length || withAgent ? { headers: { 'User-Agent': navigator.userAgent } } : {}),
  };
}
