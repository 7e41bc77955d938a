import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import './fake_chrome.js';
import { emptyOutbox, keepForLater, readOutbox, sendOutbox } from '../../extension/shared/outbox.js';

let kept = {};
chrome.storage = { local: { get: async () => structuredClone(kept), set: async (changed) => Object.assign(kept, structuredClone(changed)) } };

const one = (url) => ({ type: 'submit', submission: { url } });
const many = (...urls) => ({ type: 'submit-many', many: { urls } });
const addresses = async () => (await readOutbox()).map((sending) => sending.submission?.url ?? sending.many.urls.join());

beforeEach(() => {
  kept = {};
});

test('what waits, waits once; all that come at the same time are kept', async () => {
  await Promise.all([one('a'), many('b', 'c'), one('a'), one('d')].map(keepForLater));
  assert.deepEqual((await addresses()).sort(), ['a', 'b,c', 'd']);
  await emptyOutbox();
  assert.deepEqual(await addresses(), []);
});

test('the oldest goes first, and one that cannot be delivered stops the rest', async () => {
  for (const url of ['a', 'b', 'c']) await keepForLater(one(url));
  const tried = [];
  await sendOutbox(async ({ submission: { url } }) => tried.push(url) < 2);
  assert.deepEqual(tried, ['a', 'b']);
  assert.deepEqual(await addresses(), ['b', 'c']);
});

test('what is kept while others are sent is sent too, and nothing twice', async () => {
  await keepForLater(one('a'));
  const sent = [];
  const deliver = async ({ submission: { url } }) => {
    if (url === 'a') await keepForLater(one('b'));
    return sent.push(url) > 0;
  };
  await Promise.all([sendOutbox(deliver), sendOutbox(deliver)]);
  assert.deepEqual(sent, ['a', 'b']);
  assert.deepEqual(await addresses(), []);
});

test('an error while sending loses nothing, and the next attempt goes', async () => {
  await keepForLater(one('a'));
  await assert.rejects(sendOutbox(() => Promise.reject(new Error('no'))));
  assert.deepEqual(await addresses(), ['a']);
  await sendOutbox(async () => true);
  assert.deepEqual(await addresses(), []);
});
