// @ts-check
/** One short message at a time. What went wrong stays until it is read, with a button for what to do about it. */

import { find, setHidden, setText } from '../shared/dom.js';
import { remediesFor } from './remedies.js';

/** @import { Answer, Notice } from '../shared/messages.js' */
/** @import { Problem } from '../shared/problems.js' */

const SUCCESS_SECONDS = 4;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {{kind: Notice['kind'] | 'pending', text: string}} notice @param {Problem} [problem] */
export function showToast({ kind, text }, problem) {
  clearTimeout(timer);
  const toast = find('toast', HTMLElement);
  const button = find('toast-action', HTMLButtonElement);
  const [remedy] = problem ? remediesFor(problem) : [];
  toast.dataset.kind = kind;
  setText(find('toast-text', HTMLElement), text);
  setHidden(button, !remedy);
  setText(button, remedy?.words ?? '');
  button.onclick = () => {
    hideToast();
    void remedy?.apply();
  };
  toast.hidden = false;
  if (kind === 'success') timer = setTimeout(hideToast, SUCCESS_SECONDS * 1000);
}

/** What came of something that was asked for. What the page says already is pointed at. @param {Answer} answer */
export function showAnswer({ ok, text, problem }) {
  if (problem && find('problem', HTMLElement).dataset.code === problem.code) {
    hideToast();
    find('problem-first', HTMLButtonElement).focus();
    setText(find('announcement', HTMLElement), text);
  } else if (text) {
    showToast({ kind: ok ? 'success' : 'error', text }, problem);
  }
}

export function hideToast() {
  find('toast', HTMLElement).hidden = true;
}
