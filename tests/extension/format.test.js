import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { formatBytes, formatDuration, formatPercent, formatRate } from '../../extension/shared/format.js';

const table = JSON.parse(readFileSync(new URL('../units_table.json', import.meta.url), 'utf8'));
const formats = { bytes: formatBytes, rate: formatRate, duration: formatDuration, percent: formatPercent };

for (const [name, format] of Object.entries(formats)) {
  test(`${name}: as in the table that the server's pages are held to`, () => {
    assert.ok(table[name].length > 5);
    for (const [number, words] of table[name]) assert.equal(format(number), words, `${name} of ${number}`);
  });
}

test('what is not there is unknown', () => {
  for (const format of Object.values(formats)) assert.equal(format(undefined), '');
});

test('a size never shows four digits before EB', () => {
  for (let bytes = 1; bytes < 1e18; bytes *= 1.00007) assert.match(formatBytes(bytes), /^(\d{1,3}|\d\.\d\d|\d\d\.\d)\u00a0\w+$/);
});
