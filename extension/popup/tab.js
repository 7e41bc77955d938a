// @ts-check
/** The tab that the popup or panel is about. */

/** A page that stands in place of the popup names its tab: `?tab=7`. */
const named = Number(new URLSearchParams(location.search).get('tab')) || undefined;

/** @returns {Promise<chrome.tabs.Tab | undefined>} */
export async function currentTab() {
  if (named !== undefined) return chrome.tabs.get(named).catch(() => undefined);
  const [tab] = await chrome.tabs.query({ active: true, currentWindow: true });
  return tab;
}

/** Whether this is the panel, which stays while tabs change. */
export const isPanel = new URLSearchParams(location.search).has('panel');
