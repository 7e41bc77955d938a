// @ts-check
/** Where the Alt key can be heard: in pages of sites that the browser lets the extension see, while taking over is on. */

import { readSettings } from '../shared/settings.js';

const SCRIPT_ID = 'alt-key';

/** One after the other: two that register at once would fail. */
/** @type {Promise<unknown>} */
let inTurn = Promise.resolve();

/** After any change of the settings or the permissions. */
export function listenForAlt() {
  inTurn = inTurn.then(register).catch(() => {});
  return inTurn;
}

async function register() {
  const [{ takeOver }, { origins = [] }] = await Promise.all([readSettings(), chrome.permissions.getAll()]);
  const matches = takeOver.isOn ? origins : [];
  const known = await chrome.scripting.getRegisteredContentScripts({ ids: [SCRIPT_ID] });
  if (known.length && String(known[0]?.matches) === String(matches)) return;
  if (known.length) await chrome.scripting.unregisterContentScripts({ ids: [SCRIPT_ID] });
  if (!matches.length) return;
  await chrome.scripting.registerContentScripts([
    { id: SCRIPT_ID, js: ['page/alt.js'], matches, allFrames: true, runAt: 'document_start' },
  ]);
}
