// @ts-check
/** One short message at a time. What went wrong stays until it is read. */

import { find, setText } from '../shared/dom.js';

/** @import { Notice } from '../shared/messages.js' */

const SUCCESS_SECONDS = 4;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {Pick<Notice, 'kind' | 'text'>} notice */
export function showToast({ kind, text }) {
  clearTimeout(timer);
  const toast = find('toast', HTMLElement);
  toast.dataset.kind = kind;
  setText(find('toast-text', HTMLElement), text);
  toast.hidden = false;
  if (kind === 'success') timer = setTimeout(hideToast, SUCCESS_SECONDS * 1000);
}

export function hideToast() {
  find('toast', HTMLElement).hidden = true;
}
