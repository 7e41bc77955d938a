// @ts-check
/** Which of the browser's downloads are taken over. Every change counts at once. */

import { find, setHidden } from '../shared/dom.js';
import { readSettings, writeSettings } from '../shared/settings.js';
import { siteIn } from '../shared/sites.js';

/** @import { Rules } from '../shared/rules.js' */

const MEGABYTE = 1_000_000;
const isOn = find('take', HTMLInputElement);
const minSize = find('min-size', HTMLInputElement);
const extensions = find('extensions', HTMLInputElement);
const never = find('never', HTMLTextAreaElement);

/** What each field decides; the others may have been decided elsewhere meanwhile: in the menu, in a popup. */
const parts = new Map(
  /** @type {[HTMLInputElement | HTMLTextAreaElement, () => Partial<Rules>][]} */ ([
    [isOn, () => ({ isOn: isOn.checked })],
    [minSize, () => ({ minBytes: Math.max(0, Math.round(Number(minSize.value) * MEGABYTE)) })],
    [extensions, () => ({ extensions: unique(extensions.value.toLowerCase().split(/[^a-z0-9]+/)) })],
    [never, () => ({ neverSites: unique(never.value.split(/[\s,;]+/).map(siteIn)) })],
  ]),
);

/** @param {string[]} words */
function unique(words) {
  return [...new Set(words.filter(Boolean))];
}

/** @param {Rules} rules */
function show(rules) {
  isOn.checked = rules.isOn === true;
  write(minSize, String(rules.minBytes / MEGABYTE));
  write(extensions, rules.extensions.join(' '));
  write(never, rules.neverSites.join('\n'));
  setHidden(find('rules', HTMLElement), !rules.isOn);
}

/** Not into what is being typed. @param {HTMLInputElement | HTMLTextAreaElement} field @param {string} text */
function write(field, text) {
  if (field !== document.activeElement || !isTyped) field.value = text;
}

let isTyped = false;

async function showKept() {
  show((await readSettings()).takeOver);
}

export async function startRules() {
  for (const [field, part] of parts) {
    field.addEventListener('input', () => (isTyped = true));
    field.addEventListener('change', async () => {
      isTyped = false;
      const { takeOver } = await readSettings();
      await writeSettings({ takeOver: { ...takeOver, ...part() } });
      await showKept();
    });
  }
  chrome.storage.local.onChanged.addListener(() => void showKept());
  await showKept();
}
