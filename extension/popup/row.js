// @ts-check
/** One row of the list. Made once, then patched: only what differs is written. */

import { actionOf, titleOf } from '../shared/downloads.js';
import { formatDuration, formatPercent, formatRate } from '../shared/format.js';
import { localise, t } from '../shared/i18n.js';
import { failureWords, sizeWords, statusWord } from '../shared/words.js';
import { find, setAttribute, setHidden, setText } from '../shared/dom.js';

/** @import { Action, Download } from '../shared/downloads.js' */
/** @typedef {{act: (id: number, action: Action) => Promise<void>, remove: (id: number) => Promise<void>, save: (id: number) => Promise<void>, inBrowser: (id: number) => Promise<void>, show: (id: number) => Promise<void>}} Commands */

/** @type {Record<Action, string>} */
const ACTION_KEYS = { pause: 'actionPause', resume: 'actionResume', retry: 'actionRetry' };

export class Row {
  #id;
  #commands;
  /** @type {Action | null} */
  #action = null;

  /** @param {number} id @param {Commands} commands */
  constructor(id, commands) {
    this.#id = id;
    this.#commands = commands;
    const template = find('row', HTMLTemplateElement).content;
    const copy = /** @type {DocumentFragment} */ (template.cloneNode(true));
    localise(copy);
    this.element = /** @type {HTMLElement} */ (copy.firstElementChild);
    this.element.dataset.downloadId = String(id);
    this.parts = this.#findParts();
    this.#listen();
  }

  /** Show how it is now. `isOld`: the feed has not confirmed it, so nothing is said about its speed. @param {Download} download @param {boolean} isOld */
  show(download, isOld) {
    const { title, percent, bar, fill, status, size, rate, eta } = this.parts;
    const isRunning = download.status === 'downloading' && !isOld;
    const name = titleOf(download);
    setAttribute(this.element, 'data-status', download.status);
    setText(title, name);
    setAttribute(title, 'title', name);
    setText(percent, download.status === 'completed' ? '' : formatPercent(download.progress));
    setAttribute(bar, 'aria-label', name);
    setAttribute(bar, 'aria-valuenow', download.progress === null ? null : String(Math.round(download.progress * 10) / 10));
    const scale = download.progress === null ? '' : `scaleX(${download.progress / 100})`;
    if (fill.style.transform !== scale) fill.style.transform = scale;
    setText(status, statusWord(download));
    setText(size, sizeWords(download));
    setText(rate, isRunning ? formatRate(download.bytes_per_second) : '');
    const left = isRunning ? formatDuration(download.eta_seconds) : '';
    setText(eta, left && t('timeLeft', left));
    this.#showFailure(download);
    this.#showActions(download, name);
  }

  /** @param {Download} download */
  #showFailure({ status, error }) {
    const { failure, message, details, detail, inBrowser } = this.parts;
    setHidden(failure, !error || (status !== 'failed' && status !== 'paused'));
    setText(message, failureWords(error));
    setText(detail, error?.detail ?? '');
    setHidden(details, !error?.detail);
    setHidden(inBrowser, status !== 'failed');
  }

  /** @param {Download} download @param {string} name */
  #showActions(download, name) {
    const { act, actIcon, save, show, remove } = this.parts;
    const action = actionOf(download);
    const isSaveable = download.status === 'completed' && download.file_url !== null;
    const hadFocus = document.activeElement === act;
    if (action && action !== this.#action) {
      const words = t(ACTION_KEYS[action]);
      setAttribute(act, 'aria-label', words);
      setAttribute(act, 'title', words);
      setAttribute(actIcon, 'href', `#icon-${action}`);
    }
    this.#action = action;
    setHidden(act, !action);
    setHidden(save, !isSaveable);
    setHidden(show, !isSaveable);
    setAttribute(save, 'aria-label', t('actionSaveName', download.filename ?? name));
    if (hadFocus && !action) (isSaveable ? save : remove).focus();
  }

  #listen() {
    const { act, remove, save, show, inBrowser } = this.parts;
    act.addEventListener('click', () => {
      if (this.#action) void busyDuring(act, this.#commands.act(this.#id, this.#action));
    });
    remove.addEventListener('click', () => void busyDuring(remove, this.#commands.remove(this.#id)));
    inBrowser.addEventListener('click', () => void busyDuring(inBrowser, this.#commands.inBrowser(this.#id)));
    show.addEventListener('click', () => void this.#commands.show(this.#id));
    save.addEventListener('click', () => void busyDuring(save, this.#commands.save(this.#id)));
  }

  #findParts() {
    /** @param {string} selector */
    const part = (selector) => /** @type {HTMLElement} */ (this.element.querySelector(selector));
    /** @param {string} selector */
    const button = (selector) => /** @type {HTMLButtonElement} */ (part(selector));
    return {
      title: part('.title'),
      percent: part('.percent'),
      bar: part('.bar'),
      fill: part('.fill'),
      status: part('.status'),
      size: part('.size'),
      rate: part('.rate'),
      eta: part('.eta'),
      failure: part('.failure'),
      message: part('.failure-message'),
      details: part('details'),
      detail: part('.failure-detail'),
      act: button('.act'),
      actIcon: part('.act use'),
      save: button('.save'),
      show: button('.show'),
      inBrowser: button('.in-browser'),
      remove: button('.remove'),
    };
  }
}

/** Not pressed twice while the first press is being answered; keeps the focus. @param {HTMLButtonElement} button @param {Promise<void>} work */
async function busyDuring(button, work) {
  if (button.ariaBusy === 'true') return;
  button.ariaBusy = 'true';
  await work;
  button.ariaBusy = null;
}
