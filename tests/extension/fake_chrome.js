/** The few calls of the browser's own API that the pure parts make, answered from the extension's real files. */

import { readFileSync } from 'node:fs';

export const EXTENSION = new URL('../../extension/', import.meta.url);

/** @param {string} path below the extension's folder */
export function readJson(path) {
  return JSON.parse(readFileSync(new URL(path, EXTENSION), 'utf8'));
}

/** As Chrome does it: `$NAME$` stands for the content of a placeholder, `$1` in that for the first value. */
function getMessage(key, values = []) {
  const entry = readJson('_locales/en/messages.json')[key];
  if (!entry) return '';
  return entry.message.replace(/\$(\w+)\$/g, (_, name) =>
    entry.placeholders[name.toLowerCase()].content.replace(/\$(\d)/, (_match, number) => values[number - 1] ?? ''),
  );
}

globalThis.chrome = { i18n: { getMessage }, permissions: { contains: async () => true } };
