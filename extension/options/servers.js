// @ts-check
/** Where the servers are, whether they can be reached, and pairing with those that ask who comes. */

import * as api from '../shared/api.js';
import { checkServer } from '../shared/check.js';
import { find, setText } from '../shared/dom.js';
import { t } from '../shared/i18n.js';
import { problemIn, problemWords } from '../shared/problems.js';
import { DEFAULT_SERVER, hostPattern, normaliseServer, readSettings, writeSettings } from '../shared/settings.js';
import { listThings } from './things.js';

const field = find('server', HTMLInputElement);
const code = find('code', HTMLInputElement);

/** @param {string} id of the place for results @param {'success' | 'error' | 'pending'} kind @param {string} text */
export function showResult(id, kind, text) {
  const result = find(id, HTMLElement);
  result.dataset.kind = kind;
  setText(result, text);
}

/**
 * The address in the field, once the browser lets us talk to it; else null, and the page says why. Called first
 * after a click: the browser asks only then.
 * @param {string} result
 */
async function allowedServer(result) {
  const server = normaliseServer(field.value);
  if (!server) {
    showResult(result, 'error', t('optionsInvalid'));
    field.focus();
    return null;
  }
  const host = { origins: [hostPattern(server)] };
  const isAllowed = await chrome.permissions.request(host).catch(() => chrome.permissions.contains(host));
  if (!isAllowed) showResult(result, 'error', t('optionsNotAllowed', new URL(server).hostname));
  return isAllowed ? server : null;
}

async function save() {
  const server = await allowedServer('result');
  if (!server) return;
  await use(server);
  await report(server, t('optionsSaved'));
}

/** Add it to the list, if it is new, and make it the one that is used. @param {string} server */
async function use(server) {
  const { servers } = await readSettings();
  await writeSettings({ server, servers: [...new Set([...servers, server])] });
  field.value = server;
}

async function test() {
  const server = await allowedServer('result');
  if (server) await report(server, '');
}

/** Say what answers there. @param {string} url @param {string} before words to begin with */
async function report(url, before) {
  showResult('result', 'pending', `${before} ${t('optionsTesting')}`.trim());
  try {
    const { tokens } = await readSettings();
    const { version, roundTripMs } = await checkServer({ url, token: tokens[url] ?? null });
    showResult('result', 'success', `${before} ${t('optionsTestOk', version, Math.max(1, Math.round(roundTripMs)))}`.trim());
  } catch (error) {
    showResult('result', 'error', `${before} ${problemWords(problemIn(error))}`.trim());
  }
}

/** Trade the code for a token of our own. */
async function pair() {
  const server = await allowedServer('pair-result');
  if (!server) return;
  showResult('pair-result', 'pending', t('optionsPairing'));
  try {
    const token = await api.pair(server, code.value.trim(), await ownName());
    const { tokens } = await readSettings();
    await writeSettings({ tokens: { ...tokens, [server]: token } });
    await use(server);
    code.value = '';
    showResult('pair-result', 'success', t('optionsPaired', server));
    await report(server, '');
  } catch (error) {
    showResult('pair-result', 'error', problemWords(problemIn(error)));
    code.select();
  }
}

/** Both are there; the person looks at them and goes on. @param {{ server: string, code: string }} pairing */
export function fillIn(pairing) {
  field.value = pairing.server;
  code.value = pairing.code;
  showResult('pair-result', 'pending', t('optionsScanned', pairing.server));
  find('pair-button', HTMLButtonElement).focus();
}

/** How the dashboard lists this browser: “Chrome on Linux”. */
async function ownName() {
  const isFirefox = chrome.runtime.getURL('').startsWith('moz-');
  const { os } = await chrome.runtime.getPlatformInfo();
  const systems = /** @type {Record<string, string>} */ ({ mac: 'macOS', win: 'Windows', linux: 'Linux', cros: 'ChromeOS', android: 'Android' });
  return `${isFirefox ? 'Firefox' : 'Chrome'} on ${systems[os] ?? os}`;
}

/** Leave a server out; its key goes too. The last one stays. @param {string} server */
async function forget(server) {
  const { servers, server: used, tokens } = await readSettings();
  const { [server]: _, ...others } = tokens;
  const rest = servers.filter((other) => other !== server);
  await writeSettings({ servers: rest, tokens: others, server: used === server ? (rest[0] ?? DEFAULT_SERVER) : used });
}

async function showServers() {
  const { server, servers, tokens } = await readSettings();
  listThings(
    find('servers', HTMLElement),
    servers.map((url) => ({
      name: url,
      note: [url === server ? t('optionsUsed') : '', tokens[url] ? t('optionsIsPaired') : ''].filter(Boolean).join(' · '),
      use: url === server ? null : () => use(url),
      remove: servers.length > 1 ? () => forget(url) : null,
    })),
  );
}

export async function startServers() {
  find('form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    void save();
  });
  find('pair-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    void pair();
  });
  find('test', HTMLButtonElement).onclick = () => void test();
  find('default', HTMLButtonElement).onclick = () => {
    field.value = DEFAULT_SERVER;
    void save();
  };
  chrome.storage.local.onChanged.addListener(() => void showServers());
  field.value = (await readSettings()).server;
  await showServers();
  if (location.hash === '#pair') code.focus();
}
