// @ts-check
/** The quick switch between servers, for those who have several. */

import { find, setHidden } from '../shared/dom.js';
import { readSettings, writeSettings } from '../shared/settings.js';

const field = find('server', HTMLSelectElement);

export async function startSwitch() {
  field.addEventListener('change', () => void writeSettings({ server: field.value }));
  chrome.storage.local.onChanged.addListener(() => void show());
  await show();
}

async function show() {
  const { server, servers } = await readSettings();
  const options = servers.map((url) => new Option(url.replace(/^https?:\/\//, ''), url, false, url === server));
  field.replaceChildren(...options);
  setHidden(find('servers', HTMLElement), servers.length < 2);
}
