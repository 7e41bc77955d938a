import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import './fake_chrome.js';
import { act, health, pair, remove, submit, submitMany } from '../../extension/shared/api.js';
import { checkHealth } from '../../extension/shared/check.js';
import { problemIn, problemWords } from '../../extension/shared/problems.js';

/** What the server below answers next, and what it was asked. */
let answer = { status: 200, type: 'application/json', body: '' };
let asked = {};
let base = { url: '', token: null };

const server = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  asked = {
    method: request.method, authorization: request.headers.authorization, path: request.url,
    type: request.headers['content-type'], body: String(Buffer.concat(parts)),
  };
  response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body);
});

before(async () => {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  base = { url: `http://127.0.0.1:${server.address().port}`, token: null };
});
after(() => server.close());

function answers(status, body, type = 'application/json') {
  answer = { status, type, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

/** The words for what `work` throws. */
async function wordsFor(work) {
  const error = await work.then(() => assert.fail('nothing was thrown'), (thrown) => thrown);
  return problemWords(problemIn(error));
}

test('an address is handed over as the contract says', async () => {
  answers(201, { id: 123, status: 'queued' });
  const download = await submit(base, { url: 'https://host.example/a', referrer: 'https://host.example/' });
  assert.equal(download.id, 123);
  assert.equal(`${asked.method} ${asked.path}`, 'POST /api/downloads');
  assert.equal(asked.type, 'application/json');
  assert.deepEqual(JSON.parse(asked.body), { url: 'https://host.example/a', referrer: 'https://host.example/' });
});

test('actions and removing', async () => {
  answers(200, { id: 7 });
  await act(base, 7, 'pause');
  assert.equal(`${asked.method} ${asked.path}`, 'POST /api/downloads/7/pause');
  answers(204, '');
  assert.equal(await remove(base, 7), null);
  assert.equal(`${asked.method} ${asked.path}`, 'DELETE /api/downloads/7');
});

test("a refusal's own words are shown as they are", async () => {
  answers(422, { code: 'invalid-address', message: 'Only http and https.' }, 'application/problem+json');
  assert.equal(await wordsFor(submit(base, { url: 'ftp://x' })), 'Only http and https.');
  answers(409, { code: 'wrong-status', message: 'It has finished.' }, 'application/problem+json');
  assert.equal(await wordsFor(act(base, 1, 'pause')), 'It has finished.');
});

test('a foreign origin and a foreign host name are refusals', async () => {
  for (const status of [403, 421]) {
    answers(status, { code: 'x', message: 'Not from here.' }, 'application/problem+json');
    assert.match(await wordsFor(submit(base, { url: 'https://x' })), /refuses this extension\. Not from here\.$/);
  }
});

test('who has no key is asked to pair, who has an old one to pair again', async () => {
  answers(401, { code: 'not-signed-in', message: 'Sign in first.' }, 'application/problem+json');
  assert.match(await wordsFor(submit(base, { url: 'https://x' })), /does not know this browser yet/);
  assert.match(await wordsFor(submit({ ...base, token: 'old' }, { url: 'https://x' })), /no longer knows this browser/);
});

test('the key goes in a header, and a code is traded for it', async () => {
  answers(201, { id: 1 });
  await submit({ ...base, token: 'secret' }, { url: 'https://x' });
  assert.equal(asked.authorization, 'Bearer secret');
  assert.equal(asked.path, '/api/downloads');
  answers(201, { id: 'a', name: 'Chrome on Linux', scopes: ['submit'], token: 'new' });
  assert.equal(await pair(base.url, 'ab/12', 'Chrome on Linux'), 'new');
  assert.deepEqual([asked.path, asked.body, asked.authorization], ['/api/pairings/ab%2F12', '{"name":"Chrome on Linux"}', undefined]);
});

test('many addresses go in one request', async () => {
  answers(201, { downloads: [{ id: 1 }, { id: 2 }] });
  assert.equal((await submitMany(base, { urls: ['https://a', 'https://b'] })).length, 2);
  assert.deepEqual(JSON.parse(asked.body), { urls: ['https://a', 'https://b'] });
});

test('something else that answers is not taken for idm', async () => {
  answers(404, '<html>not found</html>', 'text/html');
  assert.match(await wordsFor(submit(base, { url: 'https://x' })), /but it is not idm/);
  answers(200, '<html>hello</html>', 'text/html');
  assert.match(await wordsFor(health(base)), /but it is not idm/);
  answers(200, { status: 'down', api: 1 });
  assert.match(await wordsFor(health(base)), /but it is not idm/);
  answers(200, { status: 'ok' });
  assert.match(await wordsFor(health(base)), /but it is not idm/);
  answers(201, { name: 'no id' });
  assert.match(await wordsFor(submit(base, { url: 'https://x' })), /but it is not idm/);
});

test('a wrong version says which side to update', async () => {
  answers(200, { status: 'ok', version: '9.0.0', api: 2 });
  assert.match(await wordsFor(checkHealth(base)), /newer than this extension. Update the extension/);
  answers(200, { status: 'ok', version: '0.0.1', api: 0 });
  assert.match(await wordsFor(checkHealth(base)), /older than this extension. Update the server/);
  answers(200, { status: 'ok', version: '0.1.0', api: 1 });
  assert.equal((await checkHealth(base)).version, '0.1.0');
});

test('nothing there: with the address, and how to start it', async () => {
  const words = await wordsFor(health({ url: 'http://127.0.0.1:9', token: null }));
  assert.match(words, /Nothing answers at http:\/\/127\.0\.0\.1:9\. Start the server with the command “idm”/);
});

test('a proxy whose server does not answer is not taken for something else', async () => {
  for (const status of [502, 503, 504]) {
    answers(status, '<html>Bad Gateway</html>', 'text/html');
    assert.match(await wordsFor(submit(base, { url: 'https://x' })), /^Nothing answers at/);
  }
});
