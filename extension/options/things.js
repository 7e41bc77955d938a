// @ts-check
/** A list of things that can be used and removed: servers, sites. */

import { t } from '../shared/i18n.js';

/** @typedef {{name: string, note?: string, use?: (() => unknown) | null, remove?: (() => unknown) | null}} Thing */

/** @param {HTMLElement} list @param {Thing[]} things */
export function listThings(list, things) {
  list.replaceChildren(...things.map(rowFor));
}

/** @param {Thing} thing */
function rowFor({ name, note = '', use, remove }) {
  const row = document.createElement('li');
  const words = document.createElement('span');
  words.className = 'thing-name';
  words.dir = 'ltr';
  words.textContent = name;
  const aside = document.createElement('span');
  aside.className = 'muted';
  aside.textContent = note;
  row.append(words, aside);
  if (use) row.append(buttonFor(t('optionsUse'), name, use));
  if (remove) row.append(buttonFor(t('actionRemove'), name, remove));
  return row;
}

/** @param {string} words @param {string} name @param {() => unknown} work */
function buttonFor(words, name, work) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'button small';
  button.textContent = words;
  button.setAttribute('aria-label', `${words} ${name}`);
  button.addEventListener('click', () => void work());
  return button;
}
