// @ts-check
/** What can be done about each trouble with the server: one or two buttons, the likeliest first. */

import { t } from '../shared/i18n.js';
import { Ask } from '../shared/messages.js';
import { hostPattern } from '../shared/settings.js';
import { ask } from './link.js';

/** @import { Problem } from '../shared/problems.js' */
/** @typedef {{words: string, apply: () => unknown}} Remedy */

const tryAgain = () => ({ words: t('popupTryAgain'), apply: () => ask({ type: Ask.RECONNECT }) });
const changeServer = () => ({ words: t('popupChangeServer'), apply: () => chrome.runtime.openOptionsPage() });
const pair = () => ({ words: t('popupPair'), apply: () => chrome.tabs.create({ url: '/options/options.html#pair' }) });
const newExtension = () => ({ words: t('popupNewExtension'), apply: () => ask({ type: Ask.OPEN_DASHBOARD, path: 'extension' }) });

/** @param {string} server */
const allow = (server) => ({
  words: t('popupAllow'),
  apply: async () => {
    if (await chrome.permissions.request({ origins: [hostPattern(server)] })) await ask({ type: Ask.RECONNECT });
  },
});

/** @param {Problem} problem @returns {Remedy[]} */
export function remediesFor({ code, server }) {
  switch (code) {
    case 'offline':
    case 'too-slow':
    case 'server-too-old':
      return [tryAgain(), changeServer()];
    case 'not-paired':
    case 'pairing-ended':
      return [pair(), tryAgain()];
    case 'server-too-new':
      return [newExtension(), tryAgain()];
    case 'not-allowed':
      return [allow(server), changeServer()];
    case 'refused':
    case 'not-idm':
      return [changeServer(), tryAgain()];
    default:
      return []; // about the address, not the server: its words say what to do
  }
}
