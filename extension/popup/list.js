// @ts-check
/** The list of downloads: which rows there are, in what order, and what is said about them together. */

import { applySnapshot, applyUpdate, arrange, inOrder, titleOf, totals } from '../shared/downloads.js';
import { formatRate } from '../shared/format.js';
import { t } from '../shared/i18n.js';
import { find, setHidden, setText } from '../shared/dom.js';
import { Row } from './row.js';

/** @import { Change, Download, Downloads } from '../shared/downloads.js' */
/** @import { Commands } from './row.js' */

/** More rows than anybody reads in a popup; the dashboard has them all. */
const MAX_ROWS = 50;

export class List {
  /** @type {Downloads} */
  #downloads = new Map();
  /** @type {Map<number, Row>} */
  #rows = new Map();
  /** @type {number[]} */
  #order = [];
  #isOld = true;
  #commands;
  #container = find('rows', HTMLElement);

  /** @param {Commands} commands */
  constructor(commands) {
    this.#commands = commands;
  }

  /** The whole list anew. `isOld`: the feed has not confirmed it yet. @param {Download[]} downloads @param {boolean} isOld */
  reset(downloads, isOld) {
    this.#isOld = isOld;
    applySnapshot(this.#downloads, downloads);
    this.#order = inOrder(this.#downloads).slice(0, MAX_ROWS);
    this.#place();
    for (const id of this.#order) this.#show(id);
    this.#showTogether();
  }

  /** @param {Change[]} changes @param {number[]} removed */
  update(changes, removed) {
    const before = this.#order;
    for (const change of changes) this.#announce(change);
    applyUpdate(this.#downloads, changes, removed);
    const changed = new Set(changes.map(({ id }) => id));
    this.#order = arrange(before, this.#downloads, changed, MAX_ROWS);
    if (String(before) !== String(this.#order)) this.#place();
    for (const id of changed) this.#show(id);
    this.#showTogether();
  }

  /** The connection is lost or not there yet: what stands in the list was so, and may not be any more. @param {boolean} isOld */
  setOld(isOld) {
    if (isOld === this.#isOld) return;
    this.#isOld = isOld;
    for (const id of this.#order) this.#show(id);
    this.#showTogether();
  }

  /** What a download is called; empty where it is unknown. @param {number} id */
  nameOf(id) {
    const download = this.#downloads.get(id);
    return download ? titleOf(download) : '';
  }

  get isEmpty() {
    return this.#order.length === 0;
  }

  /** @param {number} id */
  #show(id) {
    const download = this.#downloads.get(id);
    if (download) this.#rows.get(id)?.show(download, this.#isOld);
  }

  /** Make the elements follow the order, moving only those that are out of it. */
  #place() {
    const wanted = new Set(this.#order);
    for (const [id, row] of this.#rows) {
      if (wanted.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    let place = this.#container.firstElementChild;
    for (const id of this.#order) {
      const row = this.#rows.get(id) ?? this.#make(id);
      if (row.element === place) place = place.nextElementSibling;
      else this.#container.insertBefore(row.element, place);
    }
  }

  /** @param {number} id */
  #make(id) {
    const row = new Row(id, this.#commands);
    this.#rows.set(id, row);
    this.#show(id);
    return row;
  }

  #showTogether() {
    const { active, bytesPerSecond } = totals(this.#downloads);
    const hidden = this.#downloads.size - this.#order.length;
    const words = active ? t('popupActive', active) : t('popupIdle');
    setText(find('active', HTMLElement), this.#isOld ? '' : words);
    setText(find('total-rate', HTMLElement), active && !this.#isOld ? formatRate(bytesPerSecond) : '');
    setText(find('more', HTMLElement), t('popupMore', hidden));
    setHidden(find('more', HTMLElement), hidden <= 0);
    setHidden(find('empty', HTMLElement), this.#isOld || this.#order.length > 0);
    this.#container.classList.toggle('old-rows', this.#isOld);
  }

  /** Ends are told to people who do not see the bars; progress is not. @param {Change} change */
  #announce({ id, status }) {
    const known = this.#downloads.get(id);
    if (!known || !status || known.status === status) return;
    if (status !== 'completed' && status !== 'failed') return;
    const words = status === 'completed' ? 'noticeFinished' : 'noticeFailed';
    setText(find('announcement', HTMLElement), t(words, titleOf(known)));
  }
}
