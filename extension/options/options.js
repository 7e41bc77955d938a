// @ts-check
/** The options page: where the server is, whether it can be reached, and the keys. */

import { checkServer } from '../shared/check.js';
import { localise, t } from '../shared/i18n.js';
import { problemIn, problemWords } from '../shared/problems.js';
import { DEFAULT_SERVER, hostPattern, normaliseServer, readSettings, writeSettings } from '../shared/settings.js';
import { find, setText } from '../shared/dom.js';

const field = find('server', HTMLInputElement);
const result = find('result', HTMLElement);

/** @param {'success' | 'error' | 'pending'} kind @param {string} text */
function show(kind, text) {
  result.dataset.kind = kind;
  setText(result, text);
}

/**
 * The address in the field, once the browser lets us talk to it; else null, and the page says why. Called first
 * after a click: the browser asks only then.
 */
async function allowedServer() {
  const server = normaliseServer(field.value);
  if (!server) {
    show('error', t('optionsInvalid'));
    field.focus();
    return null;
  }
  const isAllowed = await chrome.permissions.request({ origins: [hostPattern(server)] });
  if (!isAllowed) show('error', t('optionsNotAllowed', new URL(server).hostname));
  return isAllowed ? server : null;
}

async function save() {
  const server = await allowedServer();
  if (!server) return;
  await writeSettings({ server });
  field.value = server;
  await report(server, t('optionsSaved'));
}

async function test() {
  const server = await allowedServer();
  if (server) await report(server, '');
}

/** Say what answers there. @param {string} server @param {string} before words to begin with */
async function report(server, before) {
  show('pending', `${before} ${t('optionsTesting')}`.trim());
  try {
    const { version, roundTripMs } = await checkServer(server);
    show('success', `${before} ${t('optionsTestOk', version, Math.max(1, Math.round(roundTripMs)))}`.trim());
  } catch (error) {
    show('error', `${before} ${problemWords(problemIn(error))}`.trim());
  }
}

async function showShortcuts() {
  const commands = await chrome.commands.getAll();
  /** @param {string} name */
  const keys = (name) => commands.find((command) => command.name === name)?.shortcut || t('optionsShortcutNone');
  setText(find('shortcut-open', HTMLElement), keys('_execute_action'));
  setText(find('shortcut-send', HTMLElement), keys('send-tab'));
}

async function start() {
  localise(document);
  setText(find('about', HTMLElement), t('optionsAbout', chrome.runtime.getManifest().version));
  find('form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    void save();
  });
  find('test', HTMLButtonElement).onclick = () => void test();
  find('default', HTMLButtonElement).onclick = () => {
    field.value = DEFAULT_SERVER;
    void save();
  };
  const shortcuts = find('shortcuts', HTMLButtonElement);
  shortcuts.hidden = chrome.runtime.getURL('').startsWith('moz-'); // Firefox lets no extension open its page
  shortcuts.onclick = () => void chrome.tabs.create({ url: 'chrome://extensions/shortcuts' });
  field.value = (await readSettings()).server;
  await showShortcuts();
}

void start();
