// @ts-check
/** What the dashboard's QR code says: the server's address with the one-time code as its fragment, `#pair=ABCD-2345`. */

import { normaliseServer } from './settings.js';

/**
 * @param {string} text
 * @returns {{ server: string, code: string } | null} null where it is something else
 */
export function readPairing(text) {
  const [, address = '', code = ''] = /^([^#]*)#pair=([a-z0-9-]{1,20})$/i.exec(text.trim()) ?? [];
  const server = normaliseServer(address);
  return server ? { server, code } : null;
}
