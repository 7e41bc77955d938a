// @ts-check
/** How long to wait before the feed is tried again. */

/** The last step stays under the 30 s after which an idle service worker, and its timer with it, is stopped. */
const STEPS_SECONDS = [0.5, 1, 2, 5, 10, 20];
const JITTER = 0.2;

/**
 * Seconds before attempt number `attempt` (0 is the first retry), spread by ±20 % so that many clients of a
 * restarted server do not all come at once.
 * @param {number} attempt
 * @param {() => number} [random] a number in [0, 1)
 */
export function delaySeconds(attempt, random = Math.random) {
  const step = STEPS_SECONDS[Math.min(attempt, STEPS_SECONDS.length - 1)] ?? 0;
  return step * (1 + JITTER * (2 * random() - 1));
}
