import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  DEFAULT_SERVER,
  feedAddress,
  fileAddress,
  hostPattern,
  normaliseServer,
} from '../../extension/shared/settings.js';

test('addresses as people type them', () => {
  const typed = {
    'http://127.0.0.1:8000': DEFAULT_SERVER,
    ' http://127.0.0.1:8000/ ': DEFAULT_SERVER,
    '127.0.0.1:8000': DEFAULT_SERVER,
    'localhost:9000': 'http://localhost:9000',
    'HTTPS://NAS.Example/idm//': 'https://nas.example/idm',
    'http://host:80': 'http://host',
    '[::1]:8000': 'http://[::1]:8000',
  };
  for (const [text, server] of Object.entries(typed)) assert.equal(normaliseServer(text), server, text);
});

test('what is no address of a server', () => {
  const wrong = [
    '', '   ', 'http://', 'ftp://host', 'ws://127.0.0.1:8000', 'file:///etc', 'http://user:secret@host', 'http://host/?q=1',
    'http://host/#x', 'http://host:99999', 'a b', 'javascript:alert(1)',
  ];
  for (const text of wrong) assert.equal(normaliseServer(text), null, text);
});

test('a permission is asked for the host alone', () => {
  assert.equal(hostPattern('https://nas.example:8443/idm'), 'https://nas.example/*');
});

test('the feed follows scheme and path', () => {
  assert.equal(feedAddress(DEFAULT_SERVER), 'ws://127.0.0.1:8000/ws');
  assert.equal(feedAddress('https://nas.example/idm'), 'wss://nas.example/idm/ws');
});

test('a file is found with and without a sub-path, and at an address of its own', () => {
  const file = '/api/downloads/1/file';
  assert.equal(fileAddress(DEFAULT_SERVER, file), `${DEFAULT_SERVER}${file}`);
  assert.equal(fileAddress('https://nas.example/idm', file), `https://nas.example/idm${file}`);
  assert.equal(fileAddress('https://nas.example/idm', `/idm${file}`), `https://nas.example/idm${file}`);
  assert.equal(fileAddress(DEFAULT_SERVER, 'https://cdn.example/f'), 'https://cdn.example/f');
});
