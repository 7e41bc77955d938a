// @ts-check
/** Finished files into the browser's download folder. The server names them (`Content-Disposition`). */

import { t } from '../shared/i18n.js';

/** @import { Notice } from '../shared/messages.js' */

/** File names by the browser's own download id, in `chrome.storage.session`: the worker may stop in between. */
const SAVES_KEY = 'saves';

/** The end of a small file's save can be told before its beginning is written down; one after the other. */
/** @type {Promise<unknown>} */
let inTurn = Promise.resolve();

/** @returns {Promise<Record<string, string>>} */
async function readSaves() {
  const stored = await chrome.storage.session.get(SAVES_KEY);
  return /** @type {Record<string, string>} */ (stored[SAVES_KEY] ?? {});
}

/** The token stands in a header: no address in the browser's history has it. @param {string} url @param {string} name @param {string | null} token */
export async function saveFile(url, name, token) {
  const begun = inTurn.then(async () => {
    const id = await chrome.downloads.download({ url, ...(token ? { headers: [{ name: 'Authorization', value: `Bearer ${token}` }] } : {}) });
    await chrome.storage.session.set({ [SAVES_KEY]: { ...(await readSaves()), [id]: name } });
  });
  inTurn = begun.catch(() => {});
  await begun;
}

/** What to tell about a save of ours that has ended, or null. @param {chrome.downloads.DownloadDelta} delta @returns {Promise<Notice | null>} */
export async function endOfSave({ id, state, error }) {
  if (state?.current !== 'complete' && state?.current !== 'interrupted') return null;
  const taken = inTurn.then(() => takeName(id));
  inTurn = taken;
  const name = await taken;
  if (name === undefined || error?.current === 'USER_CANCELED') return null;
  const ok = state.current === 'complete';
  return { kind: ok ? 'success' : 'error', text: t(ok ? 'noticeSaved' : wordsFor(error?.current ?? ''), name), at: Date.now() };
}

/** @param {string} reason the browser's, like `NETWORK_FAILED` */
function wordsFor(reason) {
  if (reason.startsWith('NETWORK_') || reason === 'SERVER_UNREACHABLE') return 'noticeNotSavedNetwork';
  return reason.startsWith('FILE_') ? 'noticeNotSavedDisk' : 'noticeNotSaved';
}

/** @param {number} id */
async function takeName(id) {
  const { [id]: name, ...others } = await readSaves();
  if (name !== undefined) await chrome.storage.session.set({ [SAVES_KEY]: others });
  return name;
}
