// @ts-check
/** All links of a page, to choose from: `picker.html?tab=7`. */

import { scanLinks } from '../page/scan.js';
import { find, setHidden, setText } from '../shared/dom.js';
import { localisePage, t } from '../shared/i18n.js';
import { filterLinks, linkKind, tidyLinks } from '../shared/links.js';
import { Ask } from '../shared/messages.js';
import { ask } from '../popup/link.js';

/** @import { Link, LinkKind } from '../shared/links.js' */

/** @type {Record<LinkKind, string>} */
const KIND_KEYS = {
  video: 'kindVideo',
  audio: 'kindAudio',
  image: 'kindImage',
  archive: 'kindArchive',
  document: 'kindDocument',
  program: 'kindProgram',
  other: 'kindOther',
};
const words = find('words', HTMLInputElement);
const kind = find('kind', HTMLSelectElement);
const all = find('all', HTMLInputElement);
const button = find('download', HTMLButtonElement);
const result = find('result', HTMLElement);

/** @type {Link[]} */
let links = [];
/** @type {Link[]} those that the filters let through */
let shown = [];
/** @type {Set<string>} */
const chosen = new Set();
let referrer = '';

function show() {
  shown = filterLinks(links, kind.value, words.value);
  find('links', HTMLElement).replaceChildren(...shown.map(rowFor));
  setHidden(find('empty', HTMLElement), shown.length > 0);
  setText(find('empty', HTMLElement), links.length ? t('pickerNoneFit') : t('pickerNone'));
  showChosen();
}

/** What is chosen but filtered away is not sent: only what can be seen is. */
function chosenShown() {
  return shown.filter(({ url }) => chosen.has(url)).map(({ url }) => url);
}

function showChosen() {
  const count = chosenShown().length;
  all.checked = count > 0 && count === shown.length;
  all.indeterminate = count > 0 && count < shown.length;
  button.disabled = count === 0;
  setText(button, t('pickerDownload', count));
}

/** @param {Link} link @returns {Element} */
function rowFor({ url, text }) {
  const copy = /** @type {DocumentFragment} */ (find('link', HTMLTemplateElement).content.cloneNode(true));
  const box = /** @type {HTMLInputElement} */ (copy.querySelector('input'));
  setText(/** @type {Element} */ (copy.querySelector('.text')), text);
  setText(/** @type {Element} */ (copy.querySelector('.address')), url);
  box.checked = chosen.has(url);
  box.addEventListener('change', () => {
    if (box.checked) chosen.add(url);
    else chosen.delete(url);
    showChosen();
  });
  return /** @type {Element} */ (copy.firstElementChild);
}

async function send() {
  button.disabled = true;
  const { ok, text, isKept, isPartial } = await ask({ type: Ask.SUBMIT_MANY, many: { urls: chosenShown(), ...(referrer ? { referrer } : {}) } });
  result.dataset.kind = ok ? 'success' : 'error';
  setText(result, text);
  if (ok || isKept || isPartial) chosen.clear();
  show();
}

function listen() {
  find('main', HTMLElement).inert = false;
  words.addEventListener('input', show);
  kind.addEventListener('change', show);
  all.addEventListener('change', () => {
    for (const { url } of shown) {
      if (all.checked) chosen.add(url);
      else chosen.delete(url);
    }
    show();
  });
  button.addEventListener('click', () => void send());
}

async function start() {
  localisePage();
  const tabId = Number(new URLSearchParams(location.search).get('tab'));
  const tab = await chrome.tabs.get(tabId).catch(() => undefined);
  referrer = tab?.url ?? '';
  setText(find('page', HTMLElement), tab?.title ?? '');
  links = tidyLinks(await scanLinks(tabId));
  const kinds = new Set(links.map(({ url }) => linkKind(url)));
  kind.append(new Option(t('kindAll'), ''));
  for (const [name, key] of Object.entries(KIND_KEYS)) {
    if (kinds.has(/** @type {LinkKind} */ (name))) kind.append(new Option(t(key), name));
  }
  listen();
  show();
}

void start();
