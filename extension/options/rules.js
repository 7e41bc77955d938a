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

/** @returns {Rules} */
function rulesInPage() {
  const words = extensions.value.toLowerCase().split(/[^a-z0-9]+/).filter(Boolean);
  const sites = never.value.split(/[\s,;]+/).map(siteIn).filter(Boolean);
  return {
    isOn: isOn.checked,
    minBytes: Math.max(0, Math.round(Number(minSize.value) * MEGABYTE)),
    extensions: [...new Set(words)],
    neverSites: [...new Set(sites)],
  };
}

/** @param {Rules} rules */
function show(rules) {
  isOn.checked = rules.isOn === true;
  minSize.value = String(rules.minBytes / MEGABYTE);
  extensions.value = rules.extensions.join(' ');
  never.value = rules.neverSites.join('\n');
  setHidden(find('rules', HTMLElement), !rules.isOn);
}

export async function startRules() {
  for (const field of [isOn, minSize, extensions, never]) {
    field.addEventListener('change', async () => {
      const takeOver = rulesInPage();
      await writeSettings({ takeOver });
      show(takeOver);
    });
  }
  show((await readSettings()).takeOver);
}
