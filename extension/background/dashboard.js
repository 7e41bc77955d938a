// @ts-check
/** The server's own page. */

import { hostPattern } from '../shared/settings.js';

/** Show the dashboard: its tab where there is one already, else a new one. @param {string} server */
export async function openDashboard(server) {
  const tabs = await chrome.tabs.query({ url: hostPattern(server) });
  const open = tabs.find(({ url }) => url === server || url?.startsWith(`${server}/`));
  if (open?.id === undefined) {
    await chrome.tabs.create({ url: `${server}/` });
    return;
  }
  await chrome.tabs.update(open.id, { active: true });
  await chrome.windows.update(open.windowId, { focused: true });
}
