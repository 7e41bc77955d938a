// @ts-check
/**
 * The worker's entrance: listeners only, all added at once and without waiting, because the browser starts a stopped
 * worker for an event and delivers it to the listeners that the first turn of the loop has added.
 */

import { POPUP_PORT } from '../shared/messages.js';
import { addPopup, changeServer, lookIn } from './live.js';
import { createMenus, isWeb, submissionFor } from './menus.js';
import { answer, notify, send } from './requests.js';
import { endOfSave } from './saves.js';

/** @import { Request } from '../shared/messages.js' */

const LOOK_IN = 'look-in';
/** Brings the feed back when the worker was stopped, and notices downloads that were begun elsewhere. */
const LOOK_IN_MINUTES = 1;

chrome.runtime.onInstalled.addListener(() => {
  void createMenus();
  void lookIn();
});
chrome.runtime.onStartup.addListener(() => void lookIn());
chrome.alarms.onAlarm.addListener(() => void lookIn());

chrome.runtime.onConnect.addListener((port) => {
  if (port.name === POPUP_PORT) void addPopup(port);
});
chrome.runtime.onMessage.addListener((/** @type {Request} */ request, _sender, respond) => {
  void answer(request).then(respond);
  return true;
});

chrome.contextMenus.onClicked.addListener((clicked) => void send(submissionFor(clicked)));
chrome.commands.onCommand.addListener((command, tab) => {
  if (command === 'send-tab') void send(tab?.url && isWeb(tab.url) ? { url: tab.url } : null);
});

chrome.storage.local.onChanged.addListener(() => void changeServer());
chrome.downloads.onChanged.addListener(async (delta) => {
  const notice = await endOfSave(delta);
  if (notice) await notify(notice);
});

void chrome.alarms.get(LOOK_IN).then(async (alarm) => {
  if (!alarm) await chrome.alarms.create(LOOK_IN, { periodInMinutes: LOOK_IN_MINUTES });
});
