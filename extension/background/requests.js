// @ts-check
/** What people ask for: from a popup, a context menu or a shortcut. Answers in words, and never throws. */

import { showInPage } from '../page/notice.js';
import * as api from '../shared/api.js';
import { titleOf } from '../shared/downloads.js';
import { t } from '../shared/i18n.js';
import { Ask, NOTICE_KEY, Tell } from '../shared/messages.js';
import { once } from '../shared/once.js';
import { addressesOf, emptyOutbox, keepForLater, sendOutbox } from '../shared/outbox.js';
import { ServerProblem, isPassing, problemIn, problemWords } from '../shared/problems.js';
import { fileAddress, readServer, readSettings, serverIn } from '../shared/settings.js';
import { flash, flashSending } from './badge.js';
import { submitTakeable } from './batch.js';
import { openDashboard } from './dashboard.js';
import { downloadOf, onUpdate, reconnect, tell } from './live.js';
import { saveFile } from './saves.js';
import { equipped } from './submissions.js';

/** @import { Action } from '../shared/downloads.js' */
/** @import { Answer, Notice, Request, Sending } from '../shared/messages.js' */
/** @import { Problem } from '../shared/problems.js' */
/** @import { Submission } from '../shared/api.js' */

const LOOK_SECONDS = 15;

/** @param {Request} request @returns {Promise<Answer>} */
export async function answer(request) {
  try {
    return { ok: true, ...(await carryOut(request)) };
  } catch (error) {
    const problem = problemIn(error);
    const isKept = await keep(request, problem);
    const text = isKept ? `${problemWords(problem)} ${t('noticeKept')}` : problemWords(problem);
    return { ok: false, text, problem, isKept };
  }
}

/**
 * What the server could not be given waits for it. One that is only slow may have it already.
 * @param {Request} request
 * @param {Problem} problem
 * @returns {Promise<boolean>}
 */
async function keep(request, problem) {
  if (!isPassing(problem)) return false;
  const known = problem.code === 'too-slow' ? { on_duplicate: /** @type {const} */ ('skip') } : {};
  if (request.type === Ask.SUBMIT) return kept({ ...request, submission: { ...request.submission, ...known } });
  if (request.type === Ask.SUBMIT_MANY) return kept({ ...request, many: { ...request.many, ...known } });
  return false;
}

/** @param {Sending} sending */
function kept(sending) {
  return keepForLater(sending).then(() => true, () => false); // the browser's storage may be full
}

/** The server can be asked again: send what waits, and say what came of it. */
export async function sendWaiting() {
  /** @type {string[]} */
  const begun = [];
  /** @type {string[]} */
  const refused = [];
  await sendOutbox(async (sending) => {
    try {
      const { ok = true, text } = await carryOut(sending);
      (ok ? begun : refused).push(text);
    } catch (error) {
      const problem = problemIn(error);
      if (isPassing(problem)) {
        await keep(sending, problem);
        return false;
      }
      refused.push(`${addressesOf(sending)[0]}: ${problemWords(problem)}`);
    }
    return true;
  });
  if (begun.length) await chrome.storage.session.remove(NOTICE_KEY); // that they could not be sent is past
  const text = [...refused, begun.length > 1 ? t('noticeStartedMany', begun.length) : begun[0]].filter(Boolean).join(' ');
  if (text) await notify({ kind: refused.length ? 'error' : 'success', text, at: Date.now() });
}

/**
 * Hand over without a popup, and say what came of it where it can be seen.
 * @param {Submission | Request | null} asked
 * @param {chrome.tabs.Tab} [tab] from which it was sent
 */
export async function send(asked, tab) {
  flashSending();
  const request = asked && ('type' in asked ? asked : { type: Ask.SUBMIT, submission: asked });
  const { ok, text } = request
    ? await answer(request)
    : { ok: false, text: problemWords({ code: 'nothing-to-send', server: '', message: '' }) };
  await notify({ kind: ok ? 'success' : 'error', text, at: Date.now() }, tab);
}

/**
 * To an open popup; else by the badge and in the page where it was asked for. What went wrong is told by the next popup
 * where it could not be told at once.
 * @param {Notice} notice
 * @param {chrome.tabs.Tab} [tab]
 */
export async function notify(notice, tab) {
  flash(notice);
  if (tell({ type: Tell.NOTICE, notice })) return;
  if (tab?.id !== undefined && (await showInPage(tab.id, notice, t('pageDirection')))) return;
  if (notice.kind === 'error') await chrome.storage.session.set({ [NOTICE_KEY]: notice });
}

/** @param {Request} request @returns {Promise<Partial<Answer> & {text: string}>} */
async function carryOut(request) {
  switch (request.type) {
    case Ask.SUBMIT:
      return said(await submit(request.submission, request.isMedia));
    case Ask.SUBMIT_MANY:
      return submitMany(request.many);
    case Ask.LOOK:
      return { text: '', offer: await look(request.submission) };
    case Ask.ACT:
      return said(await act(request.id, request.action));
    case Ask.REMOVE:
      return said(await remove(request.id));
    case Ask.SAVE:
      return said(await save(request.id));
    case Ask.IN_BROWSER:
      return said(await inBrowser(request.id));
    case Ask.RECONNECT:
      await reconnect();
      await sendWaiting();
      return said('');
    case Ask.DISCARD:
      await emptyOutbox();
      return said('');
    case Ask.OPEN_DASHBOARD:
      await openDashboard((await readServer()).url, request.path);
      return said('');
  }
}

/** @param {string} text */
function said(text) {
  return { text };
}

/** @param {Submission} submission @param {boolean} [isMedia] found in a player: the site expects the browser's agent */
async function submit(submission, isMedia = false) {
  const settings = await readSettings();
  const { id } = await once(`submit ${submission.url} to ${settings.server}`, async () => {
    const whole = await equipped(submission, settings, { withAgent: isMedia });
    const download = await api.submit(serverIn(settings), whole);
    onUpdate([download]);
    return download;
  });
  return t('noticeStarted', id);
}

/** @param {{urls: string[], referrer?: string}} many */
async function submitMany(many) {
  const settings = await readSettings();
  const { downloads, refused } = await once(`submit ${many.urls} to ${settings.server}`, async () => {
    const { url: _, ...body } = await equipped({ ...many, url: many.urls[0] }, settings);
    const answered = await submitTakeable(serverIn(settings), body);
    onUpdate(answered.downloads);
    return answered;
  });
  const [only] = downloads;
  const words = downloads.length === 1 && only ? t('noticeStarted', only.id) : t('noticeStartedMany', downloads.length);
  if (!refused.length) return said(words);
  return { ok: false, isPartial: true, text: `${words}. ${t('noticeRefused', refused.length)} ${refused[0]}` };
}

/** @param {Submission} submission */
async function look(submission) {
  const settings = await readSettings();
  return api.probe(serverIn(settings), await equipped(submission, settings, { withAgent: true }), LOOK_SECONDS);
}

/** @param {number} id @param {Action} action */
async function act(id, action) {
  onUpdate([await api.act(await readServer(), id, action)]);
  return '';
}

/** @param {number} id */
async function remove(id) {
  await api.remove(await readServer(), id);
  onUpdate([], [id]);
  return '';
}

/** @param {number} id */
async function save(id) {
  const [download, server] = await Promise.all([downloadOf(id), readServer()]);
  if (!download?.file_url) throw new ServerProblem('not-finished');
  const name = download.filename ?? titleOf(download);
  await saveFile(fileAddress(server.url, download.file_url), name, server.token);
  return t('noticeSaving', name);
}

/** What the server could not get, the browser may. It is ours, so it is not taken over again. @param {number} id */
async function inBrowser(id) {
  const download = await downloadOf(id);
  if (!download) throw new ServerProblem('nothing-to-send');
  await chrome.downloads.download({ url: download.url });
  return t('noticeInBrowser');
}
