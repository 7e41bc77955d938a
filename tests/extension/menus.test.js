import assert from 'node:assert/strict';
import { test } from 'node:test';

import { submissionFor } from '../../extension/background/menus.js';

const page = 'https://site.example/watch';

test('a page is sent as it is', () => {
  assert.deepEqual(submissionFor({ menuItemId: 'page', pageUrl: page }), { url: page });
});

test('a link and a picture say where they stood', () => {
  const link = { menuItemId: 'link', linkUrl: 'https://cdn.example/a.zip', pageUrl: page };
  assert.deepEqual(submissionFor(link), { url: 'https://cdn.example/a.zip', referrer: page });
  const image = { menuItemId: 'image', srcUrl: 'https://cdn.example/a.png', pageUrl: page, frameUrl: 'https://f.example/' };
  assert.deepEqual(submissionFor(image), { url: 'https://cdn.example/a.png', referrer: 'https://f.example/' });
});

test('a linked picture sends what was chosen', () => {
  const both = { linkUrl: 'https://cdn.example/big.png', srcUrl: 'https://cdn.example/small.png', pageUrl: page };
  assert.equal(submissionFor({ ...both, menuItemId: 'link' }).url, 'https://cdn.example/big.png');
  assert.equal(submissionFor({ ...both, menuItemId: 'image' }).url, 'https://cdn.example/small.png');
});

test("a player's blob stands for its page, or the frame it plays in", () => {
  const video = { menuItemId: 'video', srcUrl: 'blob:https://site.example/1', pageUrl: page };
  assert.deepEqual(submissionFor(video), { url: page });
  assert.deepEqual(submissionFor({ ...video, frameUrl: 'https://player.example/7' }), { url: 'https://player.example/7' });
});

test('where there is no web address there is nothing to send', () => {
  assert.equal(submissionFor({ menuItemId: 'page', pageUrl: 'chrome://newtab' }), null);
  assert.equal(submissionFor({ menuItemId: 'link', linkUrl: 'mailto:a@b.example', pageUrl: page }), null);
  assert.equal(submissionFor({ menuItemId: 'video' }), null);
});
