// @ts-check
/** The toolbar button: how many are active, grey when the server is away, and a short sign of what was just done. */

import { t } from '../shared/i18n.js';

/** @import { ConnectionState, Notice } from '../shared/messages.js' */

const ACCENT = '#0f766e';
const GREY = '#64748b';
const RED = '#b91c1c';
const FLASH_SECONDS = { success: 2.5, error: 6 };

/** @type {ReturnType<typeof setTimeout> | undefined} */
let flashTimer;
let shown = '';
let active = 0;
let isOffline = false;

/** @param {number} count of active downloads @param {ConnectionState} state */
export function showState(count, state) {
  active = count;
  if (state !== 'connecting') isOffline = state === 'offline'; // an attempt changes nothing until it ends
  if (!flashTimer) draw();
}

/** A sign for a few seconds, with the words as tooltip, for what was asked for while no popup was open. @param {Notice} notice */
export function flash({ kind, text }) {
  clearTimeout(flashTimer);
  const success = kind === 'success';
  setBadge(success ? '✓' : '!', success ? ACCENT : RED, text);
  flashTimer = setTimeout(() => {
    flashTimer = undefined;
    draw();
  }, FLASH_SECONDS[kind] * 1000);
}

function draw() {
  const count = active > 99 ? '99+' : String(active || '');
  if (isOffline) setBadge(active ? '!' : '', GREY, t('badgeOffline'));
  else setBadge(count, ACCENT, active ? t('badgeActive', count) : t('extensionName'));
}

/** @param {string} text @param {string} color @param {string} title */
function setBadge(text, color, title) {
  const looks = JSON.stringify([text, color, title, isOffline]);
  if (looks === shown) return; // twenty updates a second must not become twenty calls
  shown = looks;
  const suffix = isOffline ? '-grey' : '';
  const path = Object.fromEntries([16, 32, 48].map((size) => [size, `/icons/${size}${suffix}.png`]));
  void chrome.action.setIcon({ path });
  void chrome.action.setBadgeText({ text });
  void chrome.action.setBadgeBackgroundColor({ color });
  void chrome.action.setBadgeTextColor({ color: '#ffffff' });
  void chrome.action.setTitle({ title });
}
