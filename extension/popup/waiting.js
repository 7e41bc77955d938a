// @ts-check
/** What waits for the server: so that nobody sends it again, or wonders. */

import { find, setHidden, setText } from '../shared/dom.js';
import { t } from '../shared/i18n.js';
import { Ask } from '../shared/messages.js';
import { addressesOf, readOutbox } from '../shared/outbox.js';
import { ask } from './link.js';

/** More are counted, not listed. */
const MAX_ROWS = 50;

export async function startWaiting() {
  find('waiting-discard', HTMLButtonElement).onclick = () => ask({ type: Ask.DISCARD });
  chrome.storage.local.onChanged.addListener(() => void show());
  await show();
}

async function show() {
  const addresses = (await readOutbox()).flatMap(addressesOf);
  setHidden(find('waiting', HTMLElement), addresses.length === 0);
  setText(find('waiting-heading', HTMLElement), t('popupWaiting', addresses.length));
  find('waiting-rows', HTMLElement).replaceChildren(...addresses.slice(0, MAX_ROWS).map(rowFor));
}

/** @param {string} address */
function rowFor(address) {
  const row = document.createElement('li');
  const words = document.createElement('span');
  words.dir = 'ltr';
  words.className = 'waiting-address';
  words.textContent = address;
  words.title = address;
  row.append(words);
  return row;
}
