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

/** In a panel: another tab is in front, or it has gone elsewhere. @param {() => unknown} listener */
export function whenTabChanges(listener) {
  if (!isPanel) return;
  chrome.tabs.onActivated.addListener(() => void listener());
  chrome.tabs.onUpdated.addListener((_id, { url, status }, { active }) => {
    if (active && (url || status === 'complete')) void listener();
  });
}
