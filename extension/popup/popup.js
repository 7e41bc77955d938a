// @ts-check
/** The popup: paints what was known last at once, then follows the worker. */

import { localise, t } from '../shared/i18n.js';
import { Ask, KNOWN_KEY, NOTICE_KEY, Tell } from '../shared/messages.js';
import { problemWords } from '../shared/problems.js';
import { startAdding } from './add.js';
import { find, setAttribute, setHidden, setText } from '../shared/dom.js';
import { ask, listen } from './link.js';
import { List } from './list.js';
import { hideToast, showToast } from './toast.js';

/** @import { Connection, ConnectionState, Known, Notice, Push, Request } from '../shared/messages.js' */

const NOTICE_MINUTES = 10;
/** @type {Record<ConnectionState, string>} */
const CONNECTION_KEYS = {
  connected: 'connectionConnected',
  connecting: 'connectionConnecting',
  offline: 'connectionOffline',
};

const list = new List({
  act: (id, action) => carryOut({ type: Ask.ACT, id, action }),
  remove: (id) => carryOut({ type: Ask.REMOVE, id }),
  save: (id) => carryOut({ type: Ask.SAVE, id }),
});

/** @param {Request} request */
async function carryOut(request) {
  const { ok, text } = await ask(request);
  if (text) showToast({ kind: ok ? 'success' : 'error', text });
}

/** @param {Connection} connection */
function showConnection({ state, problem }) {
  const element = find('connection', HTMLElement);
  setAttribute(element, 'data-connection', state);
  setText(element, t(CONNECTION_KEYS[state]));
  setHidden(find('problem', HTMLElement), !problem);
  if (problem) setText(find('problem-text', HTMLElement), problemWords(problem));
  list.setOld(state !== 'connected');
  setText(find('old', HTMLElement), list.isEmpty ? '' : oldWords(state));
}

/** How far the list can be trusted. @param {ConnectionState} state */
function oldWords(state) {
  if (state === 'connected') return '';
  return state === 'offline' ? t('popupOldOffline') : t('popupOld');
}

/** @param {Known} known */
function showKnown({ connection, downloads }) {
  list.reset(downloads, connection.state !== 'connected');
  showConnection(connection);
}

/** @param {Push} push */
function hear(push) {
  switch (push.type) {
    case Tell.KNOWN:
      return showKnown(push.known);
    case Tell.CONNECTION:
      return showConnection(push.connection);
    case Tell.UPDATE:
      return list.update(push.downloads, push.removed);
    case Tell.NOTICE:
      return showToast(push.notice);
  }
}

/** What went wrong while no popup was open. */
async function showMissedNotice() {
  const stored = await chrome.storage.session.get(NOTICE_KEY);
  const notice = /** @type {Notice | undefined} */ (stored[NOTICE_KEY]);
  if (!notice) return;
  await chrome.storage.session.remove(NOTICE_KEY);
  if (Date.now() - notice.at < NOTICE_MINUTES * 60_000) showToast(notice);
}

async function start() {
  localise(document);
  find('options', HTMLButtonElement).onclick = () => chrome.runtime.openOptionsPage();
  find('change-server', HTMLButtonElement).onclick = () => chrome.runtime.openOptionsPage();
  find('try-again', HTMLButtonElement).onclick = () => carryOut({ type: Ask.RECONNECT });
  find('toast-dismiss', HTMLButtonElement).onclick = hideToast;
  for (const id of ['dashboard', 'more']) {
    find(id, HTMLButtonElement).onclick = () => carryOut({ type: Ask.OPEN_DASHBOARD });
  }
  void startAdding();
  const stored = await chrome.storage.session.get(KNOWN_KEY);
  const last = /** @type {Known | undefined} */ (stored[KNOWN_KEY]);
  showKnown({ server: '', downloads: [], ...last, connection: { state: 'connecting', problem: null } });
  listen(hear, () => showConnection({ state: 'connecting', problem: null }));
  void showMissedNotice();
}

void start();
