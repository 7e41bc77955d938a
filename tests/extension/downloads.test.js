import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  actionOf,
  applySnapshot,
  applyUpdate,
  arrange,
  inOrder,
  isActive,
  titleOf,
  totals,
  endings,
} from '../../extension/shared/downloads.js';

/** A whole download as the server sends it. */
function download(id, changes = {}) {
  return {
    id, url: `https://host.example/files/${id}.bin`, status: 'queued', done: false, title: null, filename: null,
    progress: null, received_bytes: 0, total_bytes: null, total_is_estimate: false, bytes_per_second: null,
    eta_seconds: null, phase: null, error: null, file_url: null, revision: id, ...changes,
  };
}

function listOf(...whole) {
  const downloads = new Map();
  applySnapshot(downloads, whole);
  return downloads;
}

test('a snapshot replaces everything, what is gone too', () => {
  const downloads = listOf(download(1), download(2));
  applySnapshot(downloads, [download(3)]);
  assert.deepEqual([...downloads.keys()], [3]);
});

test('an update changes only what it names', () => {
  const downloads = listOf(download(1, { title: 'A', revision: 5 }));
  applyUpdate(downloads, [{ id: 1, status: 'downloading', progress: 1.5, done: false, revision: 6 }]);
  assert.deepEqual(downloads.get(1), download(1, { title: 'A', status: 'downloading', progress: 1.5, revision: 6 }));
});

test('one update may hold a download several times; the last word wins and nothing in between is lost', () => {
  const downloads = listOf(download(1, { revision: 5 }));
  applyUpdate(downloads, [
    { id: 1, status: 'probing', progress: null, revision: 6 },
    { id: 1, status: 'downloading', progress: 0, title: 'Film', total_bytes: 9, revision: 7 },
    { id: 1, status: 'completed', progress: 100, file_url: '/api/downloads/1/file', revision: 8 },
  ]);
  const { status, title, total_bytes, file_url } = downloads.get(1);
  assert.deepEqual([status, title, total_bytes, file_url], ['completed', 'Film', 9, '/api/downloads/1/file']);
});

test('an older revision loses, an equal one is laid over', () => {
  const downloads = listOf(download(1, { status: 'paused', revision: 9 }));
  applyUpdate(downloads, [{ id: 1, status: 'downloading', revision: 8 }]);
  assert.equal(downloads.get(1).status, 'paused');
  applyUpdate(downloads, [{ id: 1, status: 'failed', revision: 9 }]);
  assert.equal(downloads.get(1).status, 'failed');
});

test('an update without a revision counts', () => {
  const downloads = listOf(download(1, { revision: 9 }));
  applyUpdate(downloads, [{ id: 1, progress: 3, status: 'downloading' }]);
  assert.equal(downloads.get(1).progress, 3);
  assert.equal(downloads.get(1).revision, 9);
});

test('removed ones go, unknown ones do not matter', () => {
  const downloads = listOf(download(1), download(2));
  assert.deepEqual(applyUpdate(downloads, [], [2, 77]), []);
  assert.deepEqual([...downloads.keys()], [1]);
});

test('a new download comes whole; of one that goes on and is not known, the id is asked for', () => {
  const downloads = listOf();
  const unknown = applyUpdate(downloads, [
    download(4),
    { id: 2, status: 'queued', progress: null },
    { id: 3, status: 'completed', progress: 100 },
  ]);
  assert.deepEqual(unknown, [2]);
  assert.deepEqual([...downloads.keys()], [4]);
});

test('shown first: what runs, then what waits, then what is over, the newest first', () => {
  const downloads = listOf(
    download(1, { status: 'downloading' }), download(2, { status: 'completed' }), download(3, { status: 'queued' }),
    download(4, { status: 'probing' }), download(5, { status: 'failed' }), download(6, { status: 'paused' }),
  );
  assert.deepEqual(inOrder(downloads), [4, 1, 6, 3, 5, 2]);
});

test('rows stay where they are when they end', () => {
  const downloads = listOf(download(1, { status: 'completed' }), download(2, { status: 'downloading' }));
  assert.deepEqual(arrange([1, 2], downloads, [1], 10), [1, 2]);
});

test('new ones come in at the top, the newest first, and removed ones go', () => {
  const downloads = listOf(download(1), download(4), download(5));
  assert.deepEqual(arrange([3, 1], downloads, [4, 5], 10), [5, 4, 1]);
});

test('beyond the limit the lowest give way, and come back when there is room', () => {
  const downloads = listOf(download(1), download(2), download(3));
  assert.deepEqual(arrange([2, 1], downloads, [3], 2), [3, 2]);
  downloads.delete(3);
  assert.deepEqual(arrange([3, 2], downloads, [], 2), [2, 1]);
});

test('one that begins to run unseen comes to the top; one that only waits unseen does not', () => {
  const downloads = listOf(download(1, { status: 'downloading' }), download(2), download(8), download(9));
  assert.deepEqual(arrange([9, 8], downloads, [1], 2), [1, 9]);
  assert.deepEqual(arrange([9, 8], downloads, [2], 2), [9, 8]);
});

test('totals count what is active and add up its rate', () => {
  const downloads = listOf(
    download(1, { status: 'downloading', bytes_per_second: 1000 }), download(2, { status: 'processing' }),
    download(3), download(4, { status: 'paused', bytes_per_second: 5 }), download(5, { status: 'failed' }),
  );
  assert.deepEqual(totals(downloads), { active: 3, bytesPerSecond: 1000, progress: null });
});

test('the only active one says how far it is', () => {
  const downloads = listOf(download(1, { status: 'downloading', progress: 45.3 }), download(2, { status: 'paused', progress: 9 }));
  assert.equal(totals(downloads).progress, 45.3);
});

test('endings are of those that went on before', () => {
  const before = listOf(download(1, { status: 'downloading' }), download(2, { status: 'processing' }), download(3), download(4, { status: 'completed' }));
  const after = listOf(
    download(1, { status: 'completed' }), download(2, { status: 'failed' }), download(3, { status: 'paused' }),
    download(4, { status: 'completed' }), download(5, { status: 'completed' }),
  );
  assert.deepEqual(endings(before, after).map(({ id }) => id), [1, 2]);
});

test('what may be asked follows the status', () => {
  const actions = Object.fromEntries(
    ['queued', 'probing', 'downloading', 'processing', 'paused', 'completed', 'failed'].map((status) => [
      status,
      [actionOf({ status }), isActive({ status })],
    ]),
  );
  assert.deepEqual(actions, {
    queued: ['pause', true], probing: ['pause', true], downloading: ['pause', true], processing: ['pause', true],
    paused: ['resume', false], completed: [null, false], failed: ['retry', false],
  });
});

test('a title is never empty', () => {
  assert.equal(titleOf(download(1, { title: 'T', filename: 'f' })), 'T');
  assert.equal(titleOf(download(1, { filename: 'f' })), 'f');
  assert.equal(titleOf(download(1, { url: 'https://h.example/a/gr%C3%BCn.zip?x=1' })), 'grün.zip – h.example');
  assert.equal(titleOf(download(1, { url: 'https://h.example/' })), 'h.example');
  assert.equal(titleOf(download(1, { url: 'https://h.example/%E0%A4%A' })), 'https://h.example/%E0%A4%A');
});
