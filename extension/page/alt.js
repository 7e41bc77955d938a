// @ts-check
/** In pages that the extension may see, while taking over is on: Alt held means “the browser does it”. */

addEventListener(
  'click',
  ({ altKey, isTrusted }) => {
    if (altKey && isTrusted) void chrome.runtime.sendMessage({ type: 'leave-to-browser' }); // pages' scripts click too
  },
  { capture: true },
);
