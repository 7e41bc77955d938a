// @ts-check
/**
 * What was sent while the server could not take it, in `chrome.storage.local`: it outlives the browser. The worker adds
 * and sends, a popup shows it.
 */

/** @import { Sending } from './messages.js' */

export const OUTBOX_KEY = 'outbox';

/** One change after the other. @type {Promise<unknown>} */
let inTurn = Promise.resolve();
let isSending = false;

/** The oldest first. @returns {Promise<Sending[]>} */
export async function readOutbox() {
  const stored = await chrome.storage.local.get(OUTBOX_KEY);
  return /** @type {Sending[]} */ (stored[OUTBOX_KEY] ?? []);
}

/** Keep it; what waits already waits once. @param {Sending} sending */
export function keepForLater(sending) {
  return change((all) => [...all.filter((other) => !isSame(other, sending)), sending]);
}

/** Send nothing of it any more. */
export function emptyOutbox() {
  return change(() => []);
}

/**
 * Send what waits, until one cannot be delivered. What is not taken off the list comes again, rather than never.
 * @param {(sending: Sending) => Promise<boolean>} deliver whether it need not wait any longer
 */
export async function sendOutbox(deliver) {
  if (isSending) return;
  isSending = true;
  try {
    for (let [first] = await readOutbox(); first && (await deliver(first)); [first] = await readOutbox()) {
      const sent = first;
      await change((all) => all.filter((other) => !isSame(other, sent)));
    }
  } finally {
    isSending = false;
  }
}

/** @param {Sending} sending */
export function addressesOf(sending) {
  return sending.type === 'submit' ? [sending.submission.url] : sending.many.urls;
}

/** @param {Sending} one @param {Sending} other */
function isSame(one, other) {
  return String(addressesOf(one)) === String(addressesOf(other));
}

/** @param {(all: Sending[]) => Sending[]} work */
function change(work) {
  const changed = inTurn.then(async () => chrome.storage.local.set({ [OUTBOX_KEY]: work(await readOutbox()) }));
  inTurn = changed.catch(() => {});
  return changed;
}
