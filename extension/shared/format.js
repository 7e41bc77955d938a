// @ts-check
/**
 * Numbers as people read them. The server's pages use the same rules (`idm_app/units.py`); both are held to
 * `tests/units_table.json`. Sizes are decimal (1 kB = 1000 B) with three significant digits, number and unit are
 * joined by a no-break space, and unknown (`null`) is the empty string, never 0.
 */

const NBSP = '\u00a0';
const UNITS = ['kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

/** @typedef {number | null | undefined} Unknown a number, or nothing where it is not known */

/**
 * `4530000` → `4.53 MB`
 * @param {Unknown} bytes
 */
export function formatBytes(bytes) {
  if (bytes == null) return '';
  if (Math.round(bytes) < 1000) return `${Math.round(bytes)}${NBSP}B`;
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)}${NBSP}${UNITS[unit]}`;
}

/**
 * `1250000` → `1.25 MB/s`
 * @param {Unknown} bytesPerSecond
 */
export function formatRate(bytesPerSecond) {
  return bytesPerSecond == null ? '' : `${formatBytes(bytesPerSecond)}/s`;
}

/**
 * `65` → `1 min 05 s`; under a second is `1 s`
 * @param {Unknown} seconds
 */
export function formatDuration(seconds) {
  if (seconds == null) return '';
  const whole = Math.max(1, Math.round(seconds));
  const [minutes, hours, days] = [60, 3600, 86400].map((unit) => Math.floor(whole / unit));
  if (!minutes) return `${whole}${NBSP}s`;
  if (!hours) return `${minutes}${NBSP}min${NBSP}${twoDigits(whole % 60)}${NBSP}s`;
  if (!days) return `${hours}${NBSP}h${NBSP}${twoDigits(minutes % 60)}${NBSP}min`;
  return `${days}${NBSP}d${NBSP}${hours % 24}${NBSP}h`;
}

/**
 * `45.31` → `45.3 %`; `100 %` only when all is there
 * @param {Unknown} progress 0–100
 */
export function formatPercent(progress) {
  if (progress == null) return '';
  return progress >= 100 ? `100${NBSP}%` : `${Math.min(progress, 99.9).toFixed(1)}${NBSP}%`;
}

/** @param {number} value */
function twoDigits(value) {
  return String(value).padStart(2, '0');
}
