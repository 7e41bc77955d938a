// @ts-check
/** The card at the top: this tab's address, or another one, to be downloaded. */

import { t } from '../shared/i18n.js';
import { Ask } from '../shared/messages.js';
import { problemWords } from '../shared/problems.js';
import { find, setText } from '../shared/dom.js';
import { ask } from './link.js';
import { showToast } from './toast.js';

const field = find('url', HTMLInputElement);
const button = find('download', HTMLButtonElement);
const heading = find('add-heading', HTMLElement);
const title = find('tab-title', HTMLElement);

let tabUrl = '';
let tabTitle = '';

/** Fill in the tab that the popup was opened over, and listen. */
export async function startAdding() {
  find('add', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    void send();
  });
  find('add-url', HTMLButtonElement).addEventListener('click', () => {
    field.value = '';
    field.focus();
    showWhat();
  });
  field.addEventListener('input', showWhat);
  const [tab] = await chrome.tabs.query({ active: true, currentWindow: true });
  const isWeb = /^https?:\/\//i.test(tab?.url ?? '');
  tabUrl = isWeb ? (tab?.url ?? '') : '';
  tabTitle = isWeb ? (tab?.title ?? '') : '';
  reset();
}

function reset() {
  field.value = tabUrl;
  showWhat();
  field.focus();
  field.setSelectionRange(0, field.value.length, 'backward'); // its beginning stays in sight
}

/** Whose address stands in the field. */
function showWhat() {
  const isTab = field.value === tabUrl;
  setText(heading, isTab ? t('popupThisTab') : t('popupAnotherAddress'));
  setText(title, isTab ? tabTitle || tabUrl || t('popupNoTab') : hostIn(field.value));
}

/** @param {string} text */
function hostIn(text) {
  return (URL.canParse(text) && new URL(text).hostname) || '\u00a0';
}

async function send() {
  const url = field.value.trim();
  if (!url) {
    showToast({ kind: 'error', text: problemWords({ code: 'nothing-to-send', server: '', message: '' }) });
    field.focus();
    return;
  }
  button.disabled = true;
  const { ok, text } = await ask({ type: Ask.SUBMIT, submission: { url } });
  button.disabled = false;
  showToast({ kind: ok ? 'success' : 'error', text });
  if (!ok) return;
  find('rows', HTMLElement).scrollTop = 0;
  reset();
}
