// @ts-check
/** The server's own page. */

import { hostPattern } from '../shared/settings.js';

/** Show the dashboard: its tab where there is one already, else a new one. @param {string} server @param {string} [path] another page of it */
export async function openDashboard(server, path = '') {
  const tabs = await chrome.tabs.query({ url: hostPattern(server) });
  const open = tabs.find(({ url }) => !path && (url === server || url?.startsWith(`${server}/`)));
  if (open?.id === undefined) {
    await chrome.tabs.create({ url: `${server}/${path}` });
    return;
  }
  await chrome.tabs.update(open.id, { active: true });
  await chrome.windows.update(open.windowId, { focused: true });
}
