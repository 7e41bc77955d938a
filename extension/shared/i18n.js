// @ts-check
/** Words for people, from `_locales`. Data and words never share a string: arguments fill `$NAME$` placeholders. */

/**
 * The words of `key`; the key itself where a locale lacks it, so that a gap shows.
 * @param {string} key
 * @param {...(string | number)} values
 */
export function t(key, ...values) {
  return chrome.i18n.getMessage(key, values.map(isRightToLeft() ? isolated : String)) || key;
}

/** The words for a code of the server's (`disk-full`), else those that came with it. @param {'failure' | 'refusal'} kind @param {string} code @param {string} words */
export function translated(kind, code, words) {
  return chrome.i18n.getMessage(`${kind}_${code.replaceAll('-', '_')}`) || words;
}

function isRightToLeft() {
  return chrome.i18n.getMessage('pageDirection') === 'rtl';
}

/** An address or a number keeps its own order among words that run the other way. @param {string | number} value */
function isolated(value) {
  return `\u2068${value}\u2069`;
}

/** Language and direction of a page, and its words. The direction is that of the words, which need not be the browser's. */
export function localisePage() {
  document.documentElement.lang = chrome.i18n.getUILanguage();
  document.documentElement.dir = t('pageDirection');
  localise(document);
}

/**
 * Fill in the words of a page: `data-i18n` sets the text, `data-i18n-label` the accessible name and tooltip,
 * `data-i18n-placeholder` the placeholder.
 * @param {Document | DocumentFragment} root
 */
export function localise(root) {
  for (const element of root.querySelectorAll('[data-i18n]')) {
    element.textContent = t(element.getAttribute('data-i18n') ?? '');
  }
  for (const element of root.querySelectorAll('[data-i18n-label]')) {
    const words = t(element.getAttribute('data-i18n-label') ?? '');
    element.setAttribute('aria-label', words);
    element.setAttribute('title', words);
  }
  for (const element of root.querySelectorAll('[data-i18n-placeholder]')) {
    element.setAttribute('placeholder', t(element.getAttribute('data-i18n-placeholder') ?? ''));
  }
}
