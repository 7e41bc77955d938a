// @ts-check
/** Asked once, when there is something to see: whether the server shall take over the browser's downloads. */

import { find, setHidden } from '../shared/dom.js';
import { readSettings, writeSettings } from '../shared/settings.js';

let isOpen = false;

export async function startQuestion() {
  find('question-yes', HTMLButtonElement).onclick = () => void decide(true);
  find('question-no', HTMLButtonElement).onclick = () => void decide(false);
  isOpen = (await readSettings()).takeOver.isOn === null;
}

/** @param {boolean} isFit whether this is the moment */
export function offer(isFit) {
  setHidden(find('question', HTMLElement), !(isOpen && isFit));
}

/** @param {boolean} isOn */
async function decide(isOn) {
  isOpen = false;
  offer(false);
  const { takeOver } = await readSettings();
  await writeSettings({ takeOver: { ...takeOver, isOn } });
}
