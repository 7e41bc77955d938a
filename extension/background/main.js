// @ts-check
/**
 * The worker's entrance: listeners only, all added at once and without waiting, because the browser starts a stopped
 * worker for an event and delivers it to the listeners that the first turn of the loop has added.
 */

import { hearAgreement } from '../shared/cookies.js';
import { t } from '../shared/i18n.js';
import { LEAVE_TO_BROWSER, POPUP_PORT } from '../shared/messages.js';
import { readSettings } from '../shared/settings.js';
import { listenForAlt } from './alt_key.js';
import { clickedMenu } from './clicks.js';
import { openDashboard } from './dashboard.js';
import { addPopup, changeServer, countWaiting, lookIn, onUpdate, whenConnected } from './live.js';
import { createMenus, isWeb } from './menus.js';
import { isOfDownload } from './notices.js';
import { answer, notify, send, sendWaiting } from './requests.js';
import { endOfSave } from './saves.js';
import { forget, sniff } from './sniffer.js';
import { hold, leaveToBrowser, refreshRules, takeMeanwhile, undoRest } from './takeover.js';

/** @import { Download } from '../shared/downloads.js' */
/** @import { Request } from '../shared/messages.js' */

const LOOK_IN = 'look-in';
/** Brings the feed back when the worker was stopped, and notices downloads that were begun elsewhere. */
const LOOK_IN_MINUTES = 1;
const OWN_PAGES = chrome.runtime.getURL('');

chrome.runtime.onInstalled.addListener(() => {
  void createMenus();
  void lookIn();
  void listenForAlt();
});
chrome.runtime.onStartup.addListener(() => void lookIn());
chrome.alarms.onAlarm.addListener(() => void Promise.all([lookIn(), sendWaiting()]));

chrome.runtime.onConnect.addListener((port) => {
  if (port.name === POPUP_PORT && isOwnPage(port.sender)) void addPopup(port);
  else port.disconnect();
});
chrome.runtime.onMessage.addListener((/** @type {Request | {type: typeof LEAVE_TO_BROWSER}} */ request, sender, respond) => {
  if (request.type === LEAVE_TO_BROWSER) void leaveToBrowser();
  else if (isOwnPage(sender)) {
    void answer(request).then(respond);
    return true;
  }
  return false; // a page's script asks for nothing, and is not answered
});

chrome.contextMenus.onClicked.addListener((clicked, tab) => void clickedMenu(clicked, tab));
chrome.commands.onCommand.addListener((command, tab) => {
  if (command === 'send-tab') void send(tab?.url && isWeb(tab.url) ? { url: tab.url } : null, tab);
});

if (chrome.downloads.onDeterminingFilename) {
  chrome.downloads.onDeterminingFilename.addListener((item, suggest) => hold(item, suggest, onTaken));
} else {
  chrome.downloads.onCreated.addListener((item) => void takeMeanwhile(item, onTaken));
}
chrome.downloads.onChanged.addListener(async (delta) => {
  const notice = await endOfSave(delta);
  if (notice) await notify(notice);
});

chrome.storage.local.onChanged.addListener(() => {
  void changeServer();
  void countWaiting();
  void refreshRules();
  void listenForAlt();
});
for (const event of [chrome.permissions.onAdded, chrome.permissions.onRemoved]) {
  event.addListener(() => {
    void listenForAlt();
    listenWhereAllowed();
  });
}
chrome.permissions.onAdded.addListener((added) => void hearAgreement(added));
chrome.tabs.onRemoved.addListener(forget);
listenWhereAllowed();
whenConnected(() => void Promise.all([undoRest(), sendWaiting()]));

void chrome.alarms.get(LOOK_IN).then(async (alarm) => {
  if (!alarm) await chrome.alarms.create(LOOK_IN, { periodInMinutes: LOOK_IN_MINUTES });
});

/** @param {chrome.runtime.MessageSender | undefined} sender what runs in a page that was broken into may call itself ours */
function isOwnPage(sender) {
  return sender?.url?.startsWith(OWN_PAGES) === true;
}

/** To what needs a permission that may be granted at any time; adding a listener twice adds it once. */
function listenWhereAllowed() {
  sniff();
  chrome.notifications?.onClicked.addListener(showEnded);
}

/** @param {string} id of the notification that was clicked */
async function showEnded(id) {
  if (!isOfDownload(id)) return;
  chrome.notifications.clear(id);
  await openDashboard((await readSettings()).server);
}

/** @param {Download} download */
async function onTaken(download) {
  onUpdate([download]);
  await notify({ kind: 'success', text: t('noticeTaken', download.id), at: Date.now() });
}
