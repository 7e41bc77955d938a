// @ts-check
/** What is kept in `chrome.storage.local`, never in `sync`: tokens stay on this machine. And the rules for addresses. */

/** @import { Rules } from './rules.js' */

export const DEFAULT_SERVER = 'http://127.0.0.1:8000';

/**
 * @typedef {{url: string, token: string | null}} Server `url`: http(s) address without a slash at its end
 * @typedef {object} Settings
 * @property {string} server the address of the one that is used
 * @property {string[]} servers the addresses of all
 * @property {Record<string, string>} tokens by server address, for those that were paired
 * @property {Rules} takeOver
 * @property {string[]} cookieSites whose cookies may be handed over: `example.org` with all below it
 * @property {boolean} cookiesInClear hand them over also to a server that is neither on this machine nor behind https
 * @property {boolean} notify system notifications of what ends while nobody looks
 */

/** @returns {Settings} */
export const defaults = () => ({
  server: DEFAULT_SERVER,
  servers: [],
  tokens: {},
  takeOver: { isOn: null, minBytes: 1_000_000, extensions: [], neverSites: [] },
  cookieSites: [],
  cookiesInClear: false,
  notify: false,
});

/** @returns {Promise<Settings>} */
export async function readSettings() {
  const known = defaults();
  const settings = /** @type {Settings} */ (await chrome.storage.local.get(/** @type {any} */ (known)));
  settings.takeOver = { ...known.takeOver, ...settings.takeOver };
  if (!settings.servers.includes(settings.server)) settings.servers = [...settings.servers, settings.server];
  return settings;
}

/** @param {Partial<Settings>} changed */
export async function writeSettings(changed) {
  await chrome.storage.local.set(changed);
}

/** The server that is used, with the key to it. @param {Settings} settings @returns {Server} */
export function serverIn({ server, tokens }) {
  return { url: server, token: tokens[server] ?? null };
}

/** @returns {Promise<Server>} */
export async function readServer() {
  return serverIn(await readSettings());
}

/**
 * `nas:8000/idm/` → `http://nas:8000/idm`, or null where it is not the address of a server. Sub-paths stay (a reverse
 * proxy); credentials and queries have no place in it.
 * @param {string} text
 */
export function normaliseServer(text) {
  const trimmed = text.trim();
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`;
  if (/^$|\s/.test(trimmed) || !URL.canParse(address)) return null; // Chrome takes a space into a host's name
  const { protocol, host, pathname, username, password, search, hash } = new URL(address);
  if (!['http:', 'https:'].includes(protocol) || username || password || search || hash) return null;
  return `${protocol}//${host}${pathname.replace(/\/+$/, '')}`;
}

/** The match pattern for which a permission is asked. Without a port: Firefox takes none. @param {string} server */
export function hostPattern(server) {
  const { protocol, hostname } = new URL(server);
  return `${protocol}//${hostname}/*`;
}

/** Whether nobody on the way can listen: this machine, or https. @param {string} server */
export function isPrivate(server) {
  const { protocol, hostname } = new URL(server);
  return protocol === 'https:' || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** Where the feed is. @param {string} server */
export function feedAddress(server) {
  return `${server.replace(/^http/, 'ws')}/ws`;
}

/**
 * A `file_url` of the server as an address. Behind a proxy with a sub-path it may come with or without that path.
 * @param {string} server
 * @param {string} fileUrl
 */
export function fileAddress(server, fileUrl) {
  const { pathname } = new URL(server);
  const below = pathname !== '/' && !fileUrl.startsWith(`${pathname}/`);
  return fileUrl.startsWith('/') && below ? server + fileUrl : new URL(fileUrl, server).href;
}
