// @ts-check
/** The toolbar button: how many are active, grey when the server is away, and a short sign of what was just done. */

import { t } from '../shared/i18n.js';

/** @import { ConnectionState, Notice } from '../shared/messages.js' */
/** @typedef {{active: number, progress: number | null}} Totals `progress`: of the only one, 0–100 */

const ACCENT = '#0f766e';
const GREY = '#64748b';
const RED = '#b91c1c';
const VIOLET = '#6d28d9';
const FLASH_SECONDS = { success: 2.5, error: 6, sending: 15 };

/** @type {ReturnType<typeof setTimeout> | undefined} */
let flashTimer;
let shown = '';
/** The sign for all tabs; it matters more than what one plays. */
let sign = '';
/** @type {Totals} */
let totals = { active: 0, progress: null };
/** How much media was found, by tab. @type {Map<number, number>} */
const media = new Map();
let isOffline = false;
let waiting = 0;

/** @param {Totals} now @param {ConnectionState} state @param {number} unsent how much waits for the server */
export function showState(now, state, unsent) {
  totals = now;
  waiting = unsent;
  if (state !== 'connecting') isOffline = state === 'offline'; // an attempt changes nothing until it ends
  if (!flashTimer) draw();
}

/** A sign for a few seconds, with the words as tooltip, for what was asked for while no popup was open. @param {Notice} notice */
export function flash({ kind, text }) {
  const success = kind === 'success';
  showFor(FLASH_SECONDS[kind], success ? '✓' : '!', success ? ACCENT : RED, text);
}

/** What was asked for is on its way; a slow server leaves it there. */
export function flashSending() {
  showFor(FLASH_SECONDS.sending, '…', ACCENT, t('noticeSending'));
}

/** @param {number} seconds @param {string} text @param {string} color @param {string} title */
function showFor(seconds, text, color, title) {
  clearTimeout(flashTimer);
  setBadge(text, color, title);
  flashTimer = setTimeout(() => {
    flashTimer = undefined;
    draw();
  }, seconds * 1000);
}

/** How much media a tab plays. @param {number} tabId @param {number} count */
export function showMedia(tabId, count) {
  if (count) media.set(tabId, count);
  else media.delete(tabId);
  drawMedia(tabId, sign ? 0 : count);
}

function draw() {
  const { active, progress } = totals;
  const count = active > 99 ? '99+' : String(active || '');
  const text = progress === null ? count : `${Math.floor(progress)}%`;
  if (isOffline) setBadge(active || waiting ? '!' : '', GREY, waiting ? t('badgeWaiting', waiting) : t('badgeOffline'));
  else setBadge(text, ACCENT, active ? t('badgeActive', count) : t('extensionName'));
}

/** @param {number} tabId @param {number} count */
function drawMedia(tabId, count) {
  const gone = () => {}; // the tab may have been closed
  const text = count ? `▶${Math.min(count, 99)}` : null;
  void chrome.action.setBadgeText(/** @type {any} */ ({ tabId, text })).catch(gone);
  if (count) void chrome.action.setBadgeBackgroundColor({ tabId, color: VIOLET }).catch(gone);
}

/** @param {string} text @param {string} color @param {string} title */
function setBadge(text, color, title) {
  const looks = JSON.stringify([text, color, title, isOffline]);
  if (looks === shown) return; // twenty updates a second must not become twenty calls
  shown = looks;
  sign = text;
  for (const [tabId, count] of media) drawMedia(tabId, text ? 0 : count);
  const suffix = isOffline ? '-grey' : '';
  const path = Object.fromEntries([16, 32, 48].map((size) => [size, `/icons/${size}${suffix}.png`]));
  void chrome.action.setIcon({ path });
  void chrome.action.setBadgeText({ text });
  void chrome.action.setBadgeBackgroundColor({ color });
  void chrome.action.setBadgeTextColor({ color: '#ffffff' });
  void chrome.action.setTitle({ title });
}
