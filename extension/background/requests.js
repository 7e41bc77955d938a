// @ts-check
/** What people ask for: from a popup, a context menu or a shortcut. Answers in words, and never throws. */

import * as api from '../shared/api.js';
import { titleOf } from '../shared/downloads.js';
import { t } from '../shared/i18n.js';
import { Ask, NOTICE_KEY, Tell } from '../shared/messages.js';
import { ServerProblem, problemIn, problemWords } from '../shared/problems.js';
import { fileAddress, readSettings } from '../shared/settings.js';
import { flash } from './badge.js';
import { downloadOf, onUpdate, reconnect, tell } from './live.js';
import { openDashboard } from './dashboard.js';
import { saveFile } from './saves.js';

/** @import { Action } from '../shared/downloads.js' */
/** @import { Answer, Notice, Request } from '../shared/messages.js' */
/** @import { Submission } from '../shared/api.js' */

/** @param {Request} request @returns {Promise<Answer>} */
export async function answer(request) {
  try {
    return { ok: true, text: await carryOut(request) };
  } catch (error) {
    return { ok: false, text: problemWords(problemIn(error)) };
  }
}

/** Hand over an address without a popup, and say what came of it where it can be seen. @param {Submission | null} submission */
export async function send(submission) {
  const { ok, text } = submission
    ? await answer({ type: Ask.SUBMIT, submission })
    : { ok: false, text: problemWords({ code: 'nothing-to-send', server: '', message: '' }) };
  await notify({ kind: ok ? 'success' : 'error', text, at: Date.now() });
}

/** To an open popup; else by the badge, and what went wrong in words once a popup opens. @param {Notice} notice */
export async function notify(notice) {
  if (tell({ type: Tell.NOTICE, notice })) return;
  flash(notice);
  if (notice.kind === 'error') await chrome.storage.session.set({ [NOTICE_KEY]: notice });
}

/** @param {Request} request @returns {Promise<string>} what to tell the person, may be empty */
async function carryOut(request) {
  switch (request.type) {
    case Ask.SUBMIT:
      return submit(request.submission);
    case Ask.ACT:
      return act(request.id, request.action);
    case Ask.REMOVE:
      return remove(request.id);
    case Ask.SAVE:
      return save(request.id);
    case Ask.RECONNECT:
      await reconnect();
      return '';
    case Ask.OPEN_DASHBOARD:
      await openDashboard((await readSettings()).server);
      return '';
  }
}

/** @param {Submission} submission */
async function submit(submission) {
  const { server } = await readSettings();
  const download = await api.submit(server, submission);
  onUpdate([download]);
  return t('noticeStarted', download.id);
}

/** @param {number} id @param {Action} action */
async function act(id, action) {
  const { server } = await readSettings();
  onUpdate([await api.act(server, id, action)]);
  return '';
}

/** @param {number} id */
async function remove(id) {
  const { server } = await readSettings();
  await api.remove(server, id);
  onUpdate([], [id]);
  return '';
}

/** @param {number} id */
async function save(id) {
  const [download, { server }] = await Promise.all([downloadOf(id), readSettings()]);
  if (!download?.file_url) throw new ServerProblem('not-finished');
  const name = download.filename ?? titleOf(download);
  await saveFile(fileAddress(server, download.file_url), name);
  return t('noticeSaving', name);
}
