import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isPrivate } from '../../extension/shared/settings.js';
import { isOnSite, siteIn, siteOf, sitePattern } from '../../extension/shared/sites.js';
import { forgetRecent, once } from '../../extension/shared/once.js';

test('a site is a host with all below it', () => {
  assert.equal(siteOf('https://www.example.org:8443/a'), 'example.org');
  assert.equal(siteOf('chrome://newtab'), '');
  assert.equal(isOnSite('https://cdn.example.org/a', ['example.org']), true);
  assert.equal(isOnSite('https://notexample.org/a', ['example.org']), false);
  assert.equal(isOnSite('https://example.org.evil.example/', ['example.org']), false);
  assert.equal(isOnSite('not an address', ['']), false);
});

test('a site as it is typed, and the pattern for its permission', () => {
  assert.deepEqual(['Example.ORG ', 'https://www.example.org/x', 'two words', ''].map(siteIn), ['example.org', 'example.org', '', '']);
  assert.equal(sitePattern('example.org'), '*://*.example.org/*');
  assert.equal(sitePattern('127.0.0.1'), '*://127.0.0.1/*');
});

test('cookies go in clear to this machine only', () => {
  const servers = { 'http://127.0.0.1:8000': true, 'http://localhost': true, 'http://[::1]:8000': true, 'https://nas.example/idm': true };
  for (const [server, expected] of Object.entries(servers)) assert.equal(isPrivate(server), expected, server);
  for (const server of ['http://nas:8000', 'http://192.168.1.2', 'http://127.evil.example']) assert.equal(isPrivate(server), false, server);
});

test('what is asked twice in five seconds is done once', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  let done = 0;
  const work = async () => ++done;
  assert.deepEqual(await Promise.all([once('a', work), once('a', work), once('b', work)]), [1, 1, 2]);
  context.mock.timers.tick(4_999);
  assert.equal(await once('a', work), 1);
  context.mock.timers.tick(1);
  assert.equal(await once('a', work), 3);
  forgetRecent();
  assert.equal(await once('a', work), 4);
});

test('what failed may be tried again at once', async () => {
  await assert.rejects(once('c', async () => assert.fail('no')));
  await Promise.resolve();
  assert.equal(await once('c', async () => 'yes'), 'yes');
  forgetRecent();
});
