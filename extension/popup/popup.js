// @ts-check
/** The popup, and the side panel: paints what was known last at once, then follows the worker. */

import { find, setAttribute, setHidden, setText } from '../shared/dom.js';
import { localisePage, t } from '../shared/i18n.js';
import { Ask, KNOWN_KEY, NOTICE_KEY, Tell } from '../shared/messages.js';
import { problemWords } from '../shared/problems.js';
import { startAdding } from './add.js';
import { ask, listen } from './link.js';
import { List } from './list.js';
import { showMedia } from './media.js';
import { offer, startQuestion } from './question.js';
import { remediesFor } from './remedies.js';
import { startSwitch } from './servers.js';
import { currentTab, isPanel, whenTabChanges } from './tab.js';
import { hideToast, showAnswer, showToast } from './toast.js';
import { startWaiting } from './waiting.js';

/** @import { Connection, ConnectionState, Known, Notice, Push, Request } from '../shared/messages.js' */
/** @import { Problem } from '../shared/problems.js' */

const NOTICE_MINUTES = 10;
/** @type {Record<ConnectionState, string>} */
const CONNECTION_KEYS = {
  connected: 'connectionConnected',
  connecting: 'connectionConnecting',
  offline: 'connectionOffline',
};

/** @type {List} */
const list = new List({
  act: (id, action) => carryOut({ type: Ask.ACT, id, action }),
  remove: (id) => carryOut({ type: Ask.REMOVE, id }),
  save: (id) => carryOut({ type: Ask.SAVE, id }),
  inBrowser: (id) => carryOut({ type: Ask.IN_BROWSER, id }),
  show: (id) => carryOut({ type: Ask.OPEN_DASHBOARD, path: `?q=${encodeURIComponent(list.nameOf(id))}` }),
});

/** @param {Request} request */
async function carryOut(request) {
  showAnswer(await ask(request));
}

/** @param {Connection} connection */
function showConnection({ state, problem }) {
  const element = find('connection', HTMLElement);
  setAttribute(element, 'data-connection', state);
  setText(element, t(CONNECTION_KEYS[state]));
  showProblem(problem);
  list.setOld(state !== 'connected');
  setText(find('old', HTMLElement), list.isEmpty ? '' : oldWords(state));
  offer(state === 'connected' && !list.isEmpty);
}

/** @param {Problem | null} problem */
function showProblem(problem) {
  setHidden(find('problem', HTMLElement), !problem);
  setAttribute(find('problem', HTMLElement), 'data-code', problem?.code ?? null);
  if (!problem) return;
  setText(find('problem-text', HTMLElement), problemWords(problem));
  const [first, second] = remediesFor(problem);
  for (const [id, remedy] of /** @type {const} */ ([['problem-first', first], ['problem-second', second]])) {
    const button = find(id, HTMLButtonElement);
    setHidden(button, !remedy);
    setText(button, remedy?.words ?? '');
    button.onclick = () => void remedy?.apply();
  }
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

function startButtons() {
  find('options', HTMLButtonElement).onclick = () => chrome.runtime.openOptionsPage();
  find('toast-dismiss', HTMLButtonElement).onclick = hideToast;
  for (const id of ['dashboard', 'more']) {
    find(id, HTMLButtonElement).onclick = () => carryOut({ type: Ask.OPEN_DASHBOARD });
  }
  find('links', HTMLButtonElement).onclick = async () => {
    const tab = await currentTab();
    if (tab?.id !== undefined) await chrome.tabs.create({ url: `/picker/picker.html?tab=${tab.id}` });
  };
}

/** The panel can be opened only while a click is being answered: its window has to be known before. */
async function startPanelButton() {
  const button = find('panel', HTMLButtonElement);
  if (isPanel || !chrome.sidePanel?.open) return;
  const { id: windowId } = await chrome.windows.getCurrent();
  setHidden(button, windowId === undefined);
  button.onclick = () => windowId !== undefined && void chrome.sidePanel.open({ windowId }).then(() => window.close());
}

async function start() {
  localisePage();
  document.body.classList.toggle('panel', isPanel);
  startButtons();
  void startAdding().then(showMedia);
  whenTabChanges(showMedia);
  void startSwitch();
  void startWaiting();
  void startPanelButton();
  const [stored] = await Promise.all([chrome.storage.session.get(KNOWN_KEY), startQuestion()]);
  const last = /** @type {Known | undefined} */ (stored[KNOWN_KEY]);
  showKnown({ server: '', downloads: [], ...last, connection: { state: 'connecting', problem: null } });
  listen(hear, () => showConnection({ state: 'connecting', problem: null }));
  void showMissedNotice();
}

void start();
