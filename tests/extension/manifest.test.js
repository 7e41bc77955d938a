import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import { EXTENSION, readJson } from './fake_chrome.js';

/** Copied from the dashboard's words by `dev.py check --fix`; English comes from the server itself. */
const OF_THE_SERVER = /^(failure|refusal)_/;
const manifest = readJson('manifest.json');
const files = readdirSync(EXTENSION, { recursive: true }).map((path) => path.replaceAll('\\', '/'));
const sources = new Map(
  files.filter((path) => /\.(js|html|css)$/.test(path)).map((path) => [path, readFileSync(new URL(path, EXTENSION), 'utf8')]),
);

test('the id is fixed by the key: the server lets this id in', () => {
  const digest = createHash('sha256').update(Buffer.from(manifest.key, 'base64')).digest('hex').slice(0, 32);
  const id = [...digest].map((digit) => String.fromCharCode(97 + parseInt(digit, 16))).join('');
  assert.equal(id, 'igdamklpegjobicahbhpijkfpjkdigkh');
});

test('permissions stay at what the installation may ask for', () => {
  assert.deepEqual(manifest.permissions, [
    'activeTab', 'alarms', 'contextMenus', 'downloads', 'scripting', 'sidePanel', 'storage',
  ]);
  assert.deepEqual(manifest.host_permissions, ['http://localhost/*', 'http://127.0.0.1/*']);
  assert.deepEqual(manifest.optional_permissions, ['cookies', 'notifications', 'webRequest']);
  assert.equal(manifest.content_scripts, undefined);
  assert.equal(manifest.web_accessible_resources, undefined);
});

test('Firefox finds its own keys', () => {
  assert.deepEqual(manifest.background.scripts, [manifest.background.service_worker]);
  assert.match(manifest.content_security_policy.extension_pages, /^script-src 'self'; object-src 'self'$/);
  assert.ok(manifest.browser_specific_settings.gecko.id);
});

test('every file that is named is there', () => {
  const named = [
    ...Object.values(manifest.icons),
    ...Object.values(manifest.action.default_icon),
    ...[16, 32, 48].map((size) => `icons/${size}-grey.png`),
    manifest.action.default_popup,
    manifest.options_ui.page,
    manifest.background.service_worker,
  ];
  for (const path of named) assert.ok(existsSync(new URL(path, EXTENSION)), path);
});

test("the pages' mark is the product's", () => {
  const logo = readFileSync(new URL('../../assets/icons/logo.svg', import.meta.url), 'utf8');
  assert.equal(readFileSync(new URL('icons/logo.svg', EXTENSION), 'utf8'), logo);
});

test('nothing is loaded from elsewhere, run from text or written as HTML', () => {
  assert.ok(sources.size > 25);
  for (const [path, text] of sources) {
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/, path);
    assert.doesNotMatch(text, /(?:src|href)="(?:https?:)?\/\/|@import\s+url|import\(|from 'https?:/, path);
    if (path.endsWith('.html')) assert.doesNotMatch(text, /<script(?![^>]*\bsrc=)|\son\w+=/, path);
  }
});

test('scripts are checked for types', () => {
  const own = [...sources].filter(([path]) => path.endsWith('.js') && !path.startsWith('vendor/'));
  for (const [path, text] of own) assert.match(text, /^\/\/ @ts-check\n/, path);
});

test('every word that is used is there in every language, and none besides', () => {
  const english = readJson('_locales/en/messages.json');
  const everything = [...sources.values(), JSON.stringify(manifest)].join('\n');
  for (const key of Object.keys(english)) assert.match(everything, new RegExp(`\\b(?:__MSG_)?${key}(?:__)?\\b`), `${key} is not used`);
  const used = [...everything.matchAll(/\bt\('(\w+)'|data-i18n(?:-label|-placeholder)?="(\w+)"|__MSG_(\w+?)__/g)];
  for (const [, inScript, inPage, inManifest] of used) {
    const key = inScript ?? inPage ?? inManifest;
    assert.ok(english[key]?.message, `${key} has no words`);
  }
  for (const locale of readdirSync(new URL('_locales/', EXTENSION))) {
    const words = readJson(`_locales/${locale}/messages.json`);
    const own = Object.keys(words).filter((key) => !OF_THE_SERVER.test(key));
    assert.deepEqual(own.sort(), Object.keys(english).sort(), locale);
  }
});

test('every placeholder of a message is declared', () => {
  const locales = readdirSync(new URL('_locales/', EXTENSION));
  assert.deepEqual(locales.sort(), ['ar', 'de', 'en']);
  const all = locales.flatMap((locale) => Object.entries(readJson(`_locales/${locale}/messages.json`)));
  for (const [key, { message, placeholders = {} }] of all) {
    const named = [...message.matchAll(/\$(\w+)\$/g)].map(([, name]) => name.toLowerCase());
    assert.deepEqual(named.sort(), Object.keys(placeholders).sort(), key);
  }
});
