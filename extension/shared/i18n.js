// @ts-check
/** Words for people, from `_locales`. Data and words never share a string: arguments fill `$NAME$` placeholders. */

/**
 * The words of `key`; the key itself where a locale lacks it, so that a gap shows.
 * @param {string} key
 * @param {...(string | number)} values
 */
export function t(key, ...values) {
  return chrome.i18n.getMessage(key, values.map(String)) || key;
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
