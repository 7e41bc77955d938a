// @ts-check
/** The popup's way to the worker: a port for what is pushed, and requests that are answered. */

import { t } from '../shared/i18n.js';
import { POPUP_PORT } from '../shared/messages.js';

/** @import { Answer, Push, Request } from '../shared/messages.js' */

/** A worker that was stopped starts again on connecting. */
const AGAIN_MS = 100;

/**
 * Hear what the worker pushes, for as long as the popup lives.
 * @param {(push: Push) => void} onPush
 * @param {() => void} onLost the worker is gone; it is being started again
 */
export function listen(onPush, onLost) {
  const port = chrome.runtime.connect({ name: POPUP_PORT });
  port.onMessage.addListener((/** @type {Push} */ push) => onPush(push));
  port.onDisconnect.addListener(() => {
    onLost();
    setTimeout(() => listen(onPush, onLost), AGAIN_MS);
  });
}

/** Never throws: a worker that ends in the middle is an answer too. @param {Request} request @returns {Promise<Answer>} */
export async function ask(request) {
  try {
    return await chrome.runtime.sendMessage(request);
  } catch {
    return { ok: false, text: t('problemInterrupted') };
  }
}
