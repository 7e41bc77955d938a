import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addressOf, extensionOf, hasIt, isSame, isWanted, nameOf } from '../../extension/shared/rules.js';

const NOW = Date.parse('2026-11-22T12:00:05Z');
const SERVER = 'http://127.0.0.1:8000';
const rules = { isOn: true, minBytes: 1_000_000, extensions: [], neverSites: [] };
const item = {
  url: 'https://host.example/get?id=1', finalUrl: 'https://cdn.example/Setup.EXE', referrer: 'https://host.example/',
  filename: 'Setup.EXE', startTime: '2026-11-22T12:00:00Z', state: 'in_progress', totalBytes: 5_000_000,
  incognito: false, mime: 'application/octet-stream',
};
const wants = (changes = {}, changedRules = {}) => isWanted({ ...item, ...changes }, { ...rules, ...changedRules }, SERVER, NOW);

test('a file of some size is wanted, also one whose size nobody knows', () => {
  assert.equal(wants(), true);
  assert.equal(wants({ totalBytes: -1 }), true);
  assert.equal(addressOf(item), 'https://cdn.example/Setup.EXE');
  assert.equal(addressOf({ ...item, finalUrl: '' }), item.url);
});

test('nothing is wanted until it is switched on', () => assert.equal(wants({}, { isOn: false }), false));

test('what only the browser has stays there', () => {
  for (const finalUrl of ['blob:https://host.example/1', 'data:text/plain,a', 'filesystem:https://x/y', 'ftp://host/a']) {
    assert.equal(wants({ finalUrl }), false, finalUrl);
  }
  assert.equal(wants({ incognito: true }), false);
  assert.equal(wants({ mime: 'text/html; charset=utf-8' }), false);
});

test("no save of an extension's, none of the server's own files, nothing from before", () => {
  assert.equal(wants({ byExtensionId: 'igdamklpegjobicahbhpijkfpjkdigkh' }), false);
  assert.equal(wants({ finalUrl: `${SERVER}/api/downloads/1/file` }), false);
  assert.equal(wants({ startTime: '2026-11-22T11:59:00Z' }), false);
  assert.equal(wants({ state: 'complete' }), false);
});

test('rules by size, kind and site', () => {
  assert.equal(wants({ totalBytes: 999_999 }), false);
  assert.equal(wants({}, { extensions: ['zip', 'exe'] }), true);
  assert.equal(wants({}, { extensions: ['zip'] }), false);
  assert.equal(wants({}, { neverSites: ['example'] }), false);
  assert.equal(wants({}, { neverSites: ['host.example'] }), false, 'the page that links to it counts');
  assert.equal(wants({}, { neverSites: ['ost.example'] }), true);
});

test('extensions of names and addresses', () => {
  assert.deepEqual(['a.tar.GZ', 'https://h/a.zip?x=.exe', 'noname', 'https://h/'].map(extensionOf), ['gz', 'zip', '', '']);
});

test('the server has it when bytes of the same file have come', () => {
  const now = (changes) => hasIt({ status: 'downloading', kind: 'file', received_bytes: 10, total_bytes: 500, ...changes }, 500);
  assert.equal(now({}), 'yes');
  assert.equal(now({ status: 'completed', received_bytes: 500 }), 'yes');
  assert.equal(now({ total_bytes: null }), 'yes');
  assert.equal(now({ received_bytes: 0 }), 'wait');
  assert.equal(now({ status: 'queued', kind: null, received_bytes: 0, total_bytes: null }), 'wait');
  assert.equal(now({ status: 'probing', kind: null, received_bytes: 0, total_bytes: null }), 'wait');
});

test('another size, a page or a failure is not it', () => {
  const now = (changes) => hasIt({ status: 'downloading', kind: 'file', received_bytes: 10, total_bytes: 500, ...changes }, 500);
  assert.equal(now({ total_bytes: 499 }), 'no');
  assert.equal(now({ kind: 'media' }), 'no');
  assert.equal(now({ status: 'failed', kind: null }), 'no');
  assert.equal(now({ status: 'paused' }), 'no');
  assert.equal(now({ status: 'completed', total_bytes: 3 }), 'no');
  assert.equal(isSame({ kind: 'file', total_bytes: 7 }, -1), true);
});

test('the name that the browser would use goes along, a path does not', () => {
  assert.deepEqual(nameOf({ filename: 'Bericht.pdf' }), { filename: 'Bericht.pdf' });
  for (const filename of ['', '/home/a/Bericht.pdf', 'C:\\a\\Bericht.pdf']) assert.deepEqual(nameOf({ filename }), {});
});
