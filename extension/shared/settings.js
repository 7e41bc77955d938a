// @ts-check
/** What the options page keeps in `chrome.storage.local`, and the rules for a server's address. */

export const DEFAULT_SERVER = 'http://127.0.0.1:8000';

/** @typedef {{server: string}} Settings `server`: http(s) address without a slash at its end */

/** @returns {Promise<Settings>} */
export async function readSettings() {
  const { server = DEFAULT_SERVER } = await chrome.storage.local.get('server');
  return { server: String(server) };
}

/** @param {Settings} settings */
export async function writeSettings(settings) {
  await chrome.storage.local.set(settings);
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
