// @ts-check
/** What came of a send, shown for a moment in the page from which it was sent. */

/** @import { Notice } from '../shared/messages.js' */

/**
 * Runs in the page, apart from its scripts and styles: it may name the server, which is no business of the page's. A new
 * one takes the place of the last.
 * @param {string} text @param {Notice['kind']} kind @param {string} direction @returns {boolean}
 */
function noticeInPage(text, kind, direction) {
  const isError = kind === 'error';
  const colors = isError ? 'background: #fef3f2; color: #b42318; border: 1px solid #f7cfca' : 'background: #16212d; color: #fff; border: 0';
  const notice = document.createElement('div');
  notice.id = 'idm-notice';
  notice.popover = 'manual'; // above all that the page shows, a film on the whole screen too
  const look = `all: initial; position: fixed; inset: auto 16px 16px auto; display: block; max-width: min(360px, 80vw);
    padding: 12px 16px; border-radius: 12px; box-shadow: 0 4px 14px rgb(0 0 0 / 25%); overflow-wrap: anywhere; cursor: pointer;
    font: 550 14px/1.45 system-ui, sans-serif; ${colors}`;
  notice.style.cssText = look.replaceAll(';', ' !important;') + ' !important';
  const words = document.createElement('div');
  words.dir = direction;
  words.role = isError ? 'alert' : 'status';
  notice.attachShadow({ mode: 'closed' }).append(words);
  notice.addEventListener('click', () => notice.remove());
  document.getElementById(notice.id)?.remove();
  document.documentElement.append(notice);
  notice.showPopover();
  words.textContent = text; // into what is there already: so it is read out
  setTimeout(() => notice.remove(), isError ? 10_000 : 4000);
  return true;
}

/** Whether it could be shown: not where the browser lets no extension in. @param {number} tabId @param {Notice} notice @param {string} direction */
export async function showInPage(tabId, { text, kind }, direction) {
  const args = /** @type {[string, Notice['kind'], string]} */ ([text, kind, direction]);
  const [shown] = await chrome.scripting.executeScript({ target: { tabId }, func: noticeInPage, args }).catch(() => []);
  return shown?.result === true;
}
