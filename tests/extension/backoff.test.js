import assert from 'node:assert/strict';
import { test } from 'node:test';

import { delaySeconds } from '../../extension/shared/backoff.js';

const middle = () => 0.5;

test('steps grow to 20 s and stay there', () => {
  const steps = [0, 1, 2, 3, 4, 5, 6, 500].map((attempt) => delaySeconds(attempt, middle));
  assert.deepEqual(steps, [0.5, 1, 2, 5, 10, 20, 20, 20]);
});

test('jitter spreads by a fifth, and stays below the 30 s after which the worker is stopped', () => {
  assert.ok(Math.abs(delaySeconds(5, () => 0) - 16) < 1e-9);
  assert.ok(delaySeconds(5, () => 0.999999) < 24.0001);
  const delays = new Set(Array.from({ length: 20 }, () => delaySeconds(2)));
  assert.ok(delays.size > 10, 'delays are all the same');
});
