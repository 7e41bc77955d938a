// @ts-check
/** The card at the top: this tab's address, or another one, to be downloaded. */

import { agreeTo, agreedSites, isAgreed, revoke } from '../shared/cookies.js';
import { t } from '../shared/i18n.js';
import { Ask } from '../shared/messages.js';
import { problemWords } from '../shared/problems.js';
import { find, setHidden, setText } from '../shared/dom.js';
import { siteOf } from '../shared/sites.js';
import { ask } from './link.js';
import { currentTab, isPanel, whenTabChanges } from './tab.js';
import { showAnswer, showToast } from './toast.js';

/** What takes longer is not seen to be under way. */
const SLOW_MS = 500;
const field = find('url', HTMLInputElement);
const button = find('download', HTMLButtonElement);
const heading = find('add-heading', HTMLElement);
const title = find('tab-title', HTMLElement);
const cookies = find('cookies', HTMLInputElement);

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
  cookies.addEventListener('change', () => void agree());
  acceptDrops();
  whenTabChanges(showTab);
  await showTab();
}

async function showTab() {
  const tab = await currentTab();
  const isEdited = field.value !== tabUrl;
  const isWeb = /^https?:\/\//i.test(tab?.url ?? '');
  tabUrl = isWeb ? (tab?.url ?? '') : '';
  tabTitle = isWeb ? (tab?.title ?? '') : '';
  setHidden(find('links', HTMLElement), !isWeb);
  if (isEdited) showWhat();
  else reset();
  await showCookies();
}

function reset() {
  field.value = tabUrl;
  showWhat();
  if (isPanel) return; // it stands beside the page that people work in
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

async function showCookies() {
  const site = siteOf(tabUrl);
  setHidden(find('cookies-line', HTMLElement), !site);
  setText(find('cookies-text', HTMLElement), t('popupCookies', site));
  cookies.checked = isAgreed(tabUrl, await agreedSites());
}

async function agree() {
  const site = siteOf(tabUrl);
  cookies.checked = cookies.checked ? await agreeTo(site) : (await revoke(site), false);
}

async function send() {
  const url = field.value.trim();
  if (!url) {
    showToast({ kind: 'error', text: problemWords({ code: 'nothing-to-send', server: '', message: '' }) });
    field.focus();
    return;
  }
  button.disabled = true;
  const slow = setTimeout(() => showToast({ kind: 'pending', text: t('noticeSending') }), SLOW_MS);
  const answer = await ask({ type: Ask.SUBMIT, submission: { url } });
  clearTimeout(slow);
  button.disabled = false;
  if (answer.ok || answer.isKept) {
    find('rows', HTMLElement).scrollTop = 0;
    reset();
  }
  showAnswer(answer);
}

/** A link dragged here is sent. */
function acceptDrops() {
  const sign = find('drop', HTMLElement);
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    setHidden(sign, false);
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) setHidden(sign, true);
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    setHidden(sign, true);
    const dropped = event.dataTransfer?.getData('text/uri-list') || event.dataTransfer?.getData('text/plain') || '';
    const urls = dropped.split(/\s+/).filter((text) => /^https?:\/\//i.test(text));
    if (urls.length) void ask({ type: Ask.SUBMIT_MANY, many: { urls } }).then(showAnswer);
    else showToast({ kind: 'error', text: problemWords({ code: 'nothing-to-send', server: '', message: '' }) });
  });
}
