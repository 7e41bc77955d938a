// @ts-check
/** What the tab plays: found by a look into the page when the popup opens, and by what was heard before. */

import { scanMedia } from '../page/scan.js';
import { find, setHidden, setText } from '../shared/dom.js';
import { formatBytes, formatDuration } from '../shared/format.js';
import { heardIn } from '../shared/heard.js';
import { localise, t } from '../shared/i18n.js';
import { groupMedia } from '../shared/media.js';
import { Ask } from '../shared/messages.js';
import { ask } from './link.js';
import { currentTab } from './tab.js';
import { showAnswer } from './toast.js';

/** @import { Media } from '../shared/media.js' */
/** @import { Offer, Submission } from '../shared/api.js' */

/** More are not asked about at the site; their buttons work all the same. */
const MAX_LOOKS = 4;

/** How often the media were asked for: in the panel, tabs change faster than they are looked into. */
let asked = 0;

/** Show what the tab plays, and ask the server what the streams offer. */
export async function showMedia() {
  const number = ++asked;
  const tab = await currentTab();
  const seen = tab?.id === undefined ? [] : [...(await heardIn(tab.id)), ...(await scanMedia(tab.id))];
  if (number !== asked) return;
  const container = find('media-rows', HTMLElement);
  container.replaceChildren();
  const found = groupMedia(seen);
  setHidden(find('media', HTMLElement), found.length === 0);
  setText(find('media-heading', HTMLElement), t('popupMedia', found.length));
  let looks = 0;
  for (const media of found) {
    const submission = { url: media.url, ...(tab?.url ? { referrer: tab.url } : {}) };
    const row = rowFor(media, tab?.title ?? '', submission);
    container.append(row);
    const isKnown = media.kind === 'file' && media.bytes !== null;
    if (!isKnown && looks++ < MAX_LOOKS) void look(row, media, submission);
  }
}

/** @param {Media} media @param {string} pageTitle @param {Submission} submission @returns {HTMLElement} */
function rowFor(media, pageTitle, submission) {
  const copy = /** @type {DocumentFragment} */ (find('media-row', HTMLTemplateElement).content.cloneNode(true));
  localise(copy);
  const row = /** @type {HTMLElement} */ (copy.firstElementChild);
  const button = /** @type {HTMLButtonElement} */ (row.querySelector('button'));
  const name = media.kind === 'file' ? media.name : pageTitle || media.name;
  setText(partOf(row, '.media-name'), name);
  partOf(row, '.media-name').title = media.url;
  button.setAttribute('aria-label', t('popupDownloadName', name));
  showFacts(row, media);
  button.addEventListener('click', async () => {
    button.disabled = true;
    showAnswer(await ask({ type: Ask.SUBMIT, submission, isMedia: true }));
    button.disabled = false;
  });
  return row;
}

/** @param {HTMLElement} row @param {Media} media */
function showFacts(row, { kind, bytes, seconds, height, variants }) {
  const kinds = { hls: 'HLS', dash: 'DASH', file: '' };
  const facts = [
    kinds[kind],
    height ? `${height}p` : '',
    bytes ? formatBytes(bytes) : '',
    seconds ? formatDuration(seconds) : '',
    variants.length ? t('mediaVariants', variants.length) : '',
  ];
  setText(partOf(row, '.media-facts'), facts.filter(Boolean).join(' · '));
}

/** @param {HTMLElement} row @param {Media} media @param {Submission} submission */
async function look(row, media, submission) {
  const { offer } = await ask({ type: Ask.LOOK, submission });
  if (offer) showFacts(row, { ...media, ...factsOf(offer, media) });
}

/** @param {Offer} offer @param {Media} media */
function factsOf({ total_bytes, duration_seconds, formats }, media) {
  const heights = (formats ?? []).map(({ height }) => height ?? 0);
  return {
    bytes: media.bytes ?? total_bytes,
    seconds: media.seconds ?? duration_seconds,
    height: Math.max(0, ...heights) || media.height,
  };
}

/** @param {HTMLElement} row @param {string} selector */
function partOf(row, selector) {
  return /** @type {HTMLElement} */ (row.querySelector(selector));
}
