// @ts-check
/** A site's cookies for its downloads: only where a person said so, and never in clear over a network. */

import { isPrivate, readSettings, writeSettings } from './settings.js';
import { isOnSite, siteOf, sitePattern } from './sites.js';

/** @import { Settings } from './settings.js' */
/** @typedef {{name: string, value: string, domain: string, path: string, secure: boolean, host_only: boolean,
 *   expires_at_seconds: number | null}} Cookie as the server takes it */

/** In `chrome.storage.session`: the site for which the browser asks just now. */
const ASKED_KEY = 'cookies-asked';

/**
 * The cookies that the browser would send to these addresses, of sites that were agreed to.
 * @param {string[]} addresses
 * @param {Settings} settings
 * @returns {Promise<Cookie[]>}
 */
export async function cookiesFor(addresses, { cookieSites, cookiesInClear, server }) {
  if (!chrome.cookies || !(cookiesInClear || isPrivate(server))) return [];
  /** @type {Map<string, Cookie>} */
  const found = new Map();
  for (const url of addresses) {
    if (!isOnSite(url, cookieSites)) continue;
    for (const cookie of await cookiesOf(url)) {
      found.set(`${cookie.domain} ${cookie.path} ${cookie.name}`, asTaken(cookie));
    }
  }
  return [...found.values()];
}

/** Those of partitioned storage too, where the browser knows that. Without the permission for the site: none. @param {string} url */
async function cookiesOf(url) {
  try {
    return await chrome.cookies.getAll({ url, partitionKey: {} });
  } catch {
    return chrome.cookies.getAll({ url }).catch(() => []);
  }
}

/** @param {chrome.cookies.Cookie} cookie @returns {Cookie} */
function asTaken({ name, value, domain, path, secure, hostOnly, expirationDate }) {
  const expires = expirationDate === undefined ? null : Math.floor(expirationDate);
  return { name, value, domain, path, secure, host_only: hostOnly, expires_at_seconds: expires };
}

/** Sites that were agreed to, and for which the browser agrees as well. @returns {Promise<string[]>} */
export async function agreedSites() {
  const { cookieSites } = await readSettings();
  const allowed = await Promise.all(
    cookieSites.map((site) => chrome.permissions.contains({ permissions: ['cookies'], origins: [sitePattern(site)] })),
  );
  return cookieSites.filter((_, place) => allowed[place]);
}

/**
 * Agree to a site; the browser asks too, which may close a popup: then the worker hears the answer. What is refused in
 * that window is never written down. Called first after a click.
 * @param {string} site
 * @returns {Promise<boolean>} whether both agreed
 */
export async function agreeTo(site) {
  const asked = chrome.permissions.request({ permissions: ['cookies'], origins: [sitePattern(site)] });
  await chrome.storage.session.set({ [ASKED_KEY]: site });
  const isAllowed = await asked.catch(() => false);
  if (isAllowed) await agreed(site);
  return isAllowed;
}

/** In the worker: the browser has allowed something; perhaps the site that was asked for. @param {chrome.permissions.Permissions} added */
export async function hearAgreement({ origins = [] }) {
  const stored = await chrome.storage.session.get(ASKED_KEY);
  const site = /** @type {string | undefined} */ (stored[ASKED_KEY]);
  if (site && origins.includes(sitePattern(site))) await agreed(site);
}

/** @param {string} site */
async function agreed(site) {
  await chrome.storage.session.remove(ASKED_KEY);
  await keep((sites) => [...new Set([...sites, site])]);
}

/** Hand nothing over any more; the browser's own permission for the site goes too. @param {string} site */
export async function revoke(site) {
  await keep((sites) => sites.filter((other) => other !== site));
  await chrome.permissions.remove({ origins: [sitePattern(site)] }).catch(() => {});
}

/** Whether cookies are handed over for an address. @param {string} address @param {string[]} sites */
export function isAgreed(address, sites) {
  return siteOf(address) !== '' && isOnSite(address, sites);
}

/** @param {(sites: string[]) => string[]} change */
async function keep(change) {
  const { cookieSites } = await readSettings();
  await writeSettings({ cookieSites: change(cookieSites) });
}
