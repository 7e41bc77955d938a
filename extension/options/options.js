// @ts-check
/** The options page: what it consists of, and the keys. */

import { find, setText } from '../shared/dom.js';
import { localisePage, t } from '../shared/i18n.js';
import { startConsents } from './consents.js';
import { startRules } from './rules.js';
import { startScan } from './scan.js';
import { startServers } from './servers.js';

async function showShortcuts() {
  const commands = await chrome.commands.getAll();
  /** @param {string} name */
  const keys = (name) => commands.find((command) => command.name === name)?.shortcut || t('optionsShortcutNone');
  setText(find('shortcut-open', HTMLElement), keys('_execute_action'));
  setText(find('shortcut-send', HTMLElement), keys('send-tab'));
  const shortcuts = find('shortcuts', HTMLButtonElement);
  shortcuts.hidden = chrome.runtime.getURL('').startsWith('moz-'); // Firefox lets no extension open its page
  shortcuts.onclick = () => void chrome.tabs.create({ url: 'chrome://extensions/shortcuts' });
}

async function start() {
  localisePage();
  setText(find('about', HTMLElement), t('optionsAbout', chrome.runtime.getManifest().version));
  startScan();
  await Promise.all([startServers(), startRules(), startConsents(), showShortcuts()]);
  find('main', HTMLElement).inert = false; // what is chosen before is there could be lost
}

void start();
