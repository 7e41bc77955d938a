// @ts-check
/** A second click within five seconds is an accident: it gets the answer of the first. */

const SAME_SECONDS = 5;

/** @type {Map<string, Promise<any>>} */
const recent = new Map();

/**
 * Do `work`, unless the same `key` was asked for a moment ago; then its answer. What failed may be tried again at once.
 * @template T
 * @param {string} key
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export function once(key, work) {
  const known = recent.get(key);
  if (known) return known;
  const answer = work();
  recent.set(key, answer);
  const forget = () => recent.get(key) === answer && recent.delete(key);
  setTimeout(forget, SAME_SECONDS * 1000);
  answer.catch(forget);
  return answer;
}

/** From here on everything is asked for on purpose: something was removed. */
export function forgetRecent() {
  recent.clear();
}
