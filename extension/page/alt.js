// @ts-check
/** In pages that the extension may see, while taking over is on: Alt held means “the browser does it”. */

addEventListener(
  'click',
  ({ altKey }) => {
    if (altKey) void chrome.runtime.sendMessage({ type: 'leave-to-browser' });
  },
  { capture: true },
);
