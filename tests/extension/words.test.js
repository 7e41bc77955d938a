import assert from 'node:assert/strict';
import { test } from 'node:test';

import './fake_chrome.js';
import { sizeWords, statusWord } from '../../extension/shared/words.js';

test('status in words, the same as in the dashboard', () => {
  const words = {
    queued: 'Queued', probing: 'Connecting…', downloading: 'Downloading', processing: 'Finishing…', paused: 'Paused',
    completed: 'Finished', failed: 'Failed',
  };
  for (const [status, word] of Object.entries(words)) assert.equal(statusWord({ status, phase: null }), word);
  assert.equal(statusWord({ status: 'processing', phase: 'merging' }), 'Merging…');
  assert.equal(statusWord({ status: 'processing', phase: 'converting' }), 'Converting…');
  assert.equal(statusWord({ status: 'downloading', phase: 'merging' }), 'Downloading');
});

test('sizes: how much of how much, as far as it is known', () => {
  const size = (received_bytes, total_bytes, more = {}) =>
    sizeWords({ status: 'downloading', received_bytes, total_bytes, total_is_estimate: false, ...more });
  assert.equal(size(0, null), '');
  assert.equal(size(4_530_000, null), '4.53\u00a0MB');
  assert.equal(size(0, 10_000_000), '10.0\u00a0MB');
  assert.equal(size(4_530_000, 10_000_000), '4.53 of 10.0\u00a0MB');
  assert.equal(size(1000, 10_000, { total_is_estimate: true }), '1.00 of ~10.0\u00a0kB');
  assert.equal(size(4_530, 10_000_000), '4.53\u00a0kB of 10.0\u00a0MB');
  assert.equal(size(10_000, 10_000, { status: 'completed' }), '10.0\u00a0kB');
  assert.equal(size(10_000, null, { status: 'completed' }), '10.0\u00a0kB');
});
