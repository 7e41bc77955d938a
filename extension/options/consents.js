// @ts-check
/** What people may grant, and take back: cookies by site, watching for media, notifications. */

import { agreeTo, agreedSites, revoke } from '../shared/cookies.js';
import { find } from '../shared/dom.js';
import { t } from '../shared/i18n.js';
import { readSettings, writeSettings } from '../shared/settings.js';
import { siteIn } from '../shared/sites.js';
import { showResult } from './servers.js';
import { listThings } from './things.js';

const EVERYWHERE = { permissions: /** @type {'webRequest'[]} */ (['webRequest']), origins: ['http://*/*', 'https://*/*'] };
const NOTIFICATIONS = { permissions: /** @type {'notifications'[]} */ (['notifications']) };
const sniff = find('sniff', HTMLInputElement);
const notify = find('notify', HTMLInputElement);
const inClear = find('in-clear', HTMLInputElement);
const site = find('site', HTMLInputElement);

async function show() {
  const [settings, sites] = await Promise.all([readSettings(), agreedSites()]);
  listThings(find('sites', HTMLElement), sites.map((name) => ({ name, remove: () => revoke(name).then(show) })));
  inClear.checked = settings.cookiesInClear;
  sniff.checked = await chrome.permissions.contains(EVERYWHERE);
  notify.checked = settings.notify && (await chrome.permissions.contains(NOTIFICATIONS));
}

async function allowSite() {
  const name = siteIn(site.value);
  if (!name) {
    showResult('site-result', 'error', t('problemNoSite'));
    return;
  }
  const isAllowed = await agreeTo(name);
  showResult('site-result', isAllowed ? 'success' : 'error', t(isAllowed ? 'optionsSiteAllowed' : 'optionsNotAllowed', name));
  if (isAllowed) site.value = '';
  await show();
}

export async function startConsents() {
  find('site-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    void allowSite();
  });
  sniff.addEventListener('change', async () => {
    const work = sniff.checked ? chrome.permissions.request(EVERYWHERE) : chrome.permissions.remove(EVERYWHERE);
    await work.catch(() => {});
    await show();
  });
  notify.addEventListener('change', async () => {
    const isGranted = notify.checked && (await chrome.permissions.request(NOTIFICATIONS).catch(() => false));
    await writeSettings({ notify: isGranted });
    await show();
  });
  inClear.addEventListener('change', () => void writeSettings({ cookiesInClear: inClear.checked }));
  for (const event of [chrome.storage.local.onChanged, chrome.permissions.onAdded, chrome.permissions.onRemoved]) {
    event.addListener(() => void show()); // a popup, the browser's own pages
  }
  await show();
}
