// @ts-check
/** What a row says about a download, in words and numbers. */

import { formatBytes } from './format.js';
import { t, translated } from './i18n.js';

/** @import { Download, Failure } from './downloads.js' */

/** @type {Record<Download['status'], string>} */
const STATUS_KEYS = {
  queued: 'statusQueued',
  probing: 'statusProbing',
  downloading: 'statusDownloading',
  processing: 'statusFinishing',
  paused: 'statusPaused',
  completed: 'statusCompleted',
  failed: 'statusFailed',
};

/** Where it stands; what is being done to the file goes by its phase. @param {Download} download */
export function statusWord({ status, phase }) {
  if (status === 'processing' && phase === 'merging') return t('statusMerging');
  if (status === 'processing' && phase === 'converting') return t('statusConverting');
  return t(STATUS_KEYS[status]);
}

/** What went wrong, and what to do. @param {Failure | null} error */
export function failureWords(error) {
  return error ? translated('failure', error.code, error.message) : '';
}

/** How much of how much: `4.53 MB of 10.0 MB`, with `~` before a total that is only estimated. @param {Download} download */
export function sizeWords({ status, received_bytes, total_bytes, total_is_estimate }) {
  if (status === 'completed') return formatBytes(total_bytes ?? received_bytes);
  if (total_bytes === null) return received_bytes ? formatBytes(received_bytes) : '';
  const total = `${total_is_estimate ? '~' : ''}${formatBytes(total_bytes)}`;
  if (!received_bytes) return total;
  const [amount = '', unit] = formatBytes(received_bytes).split('\u00a0');
  const isSameUnit = total.endsWith(`\u00a0${unit}`); // then it is said once, as in the dashboard
  return t('sizeOf', isSameUnit ? amount : `${amount}\u00a0${unit}`, total);
}
