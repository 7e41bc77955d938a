import assert from 'node:assert/strict';
import { test } from 'node:test';

import { groupMedia, mediaKind } from '../../extension/shared/media.js';
import { addressesIn, filterLinks, linkKind, tidyLinks } from '../../extension/shared/links.js';

test('streams and files are known by name or type', () => {
  const kinds = {
    'https://h/a.m3u8?x': 'hls', 'https://h/a.mpd': 'dash', 'https://h/a.MP4': 'file', 'https://h/a.mp3?b#c': 'file',
    'https://h/a.ts': null, 'https://h/a.m4s': null, 'https://h/page': null, 'blob:https://h/1': null, 'https://': null,
  };
  for (const [url, kind] of Object.entries(kinds)) assert.equal(mediaKind({ url }), kind, url);
  assert.equal(mediaKind({ url: 'https://h/list', type: 'application/x-mpegURL' }), 'hls');
  assert.equal(mediaKind({ url: 'https://h/list', type: 'application/vnd.apple.mpegurl' }), 'hls');
  assert.equal(mediaKind({ url: 'https://h/x', type: 'application/dash+xml' }), 'dash');
  assert.equal(mediaKind({ url: 'https://h/x', type: 'video/webm' }), 'file');
  assert.equal(mediaKind({ url: 'https://h/x', type: 'video/MP2T' }), null);
});

test('a master is shown once, with its variants; segments are hidden', () => {
  const found = groupMedia([
    { url: 'https://cdn.example/v/master.m3u8', bytes: 142 },
    { url: 'https://cdn.example/v/720/index.m3u8' },
    { url: 'https://cdn.example/v/1080/index.m3u8' },
    { url: 'https://cdn.example/v/720/seg-001.mp4' },
    { url: 'https://cdn.example/v/720/init.mp4', type: 'video/mp4' },
    { url: 'https://cdn.example/v/trailer.mp4' },
    { url: 'https://other.example/v/720/index.m3u8' },
  ]);
  assert.equal(found[0].bytes, null, "a playlist's size is not the film's");
  assert.deepEqual(found.map(({ url, variants }) => [url, variants.length]), [
    ['https://cdn.example/v/master.m3u8', 2], ['https://cdn.example/v/trailer.mp4', 0], ['https://other.example/v/720/index.m3u8', 0],
  ]);
});

test('streams at the top of a site do not swallow each other', () => {
  const found = groupMedia([{ url: 'https://h.example/a.m3u8' }, { url: 'https://h.example/live/b.m3u8' }]);
  assert.equal(found.length, 2);
});

test('what is seen twice is shown once, with all that is known', () => {
  const url = 'https://h.example/films/big%20film.mp4';
  assert.deepEqual(groupMedia([{ url, bytes: 5_000 }, { url, seconds: 12.5, height: 720 }, { url, bytes: 1, seconds: Infinity }]), [
    { url, kind: 'file', name: 'big film.mp4', bytes: 5_000, seconds: 12.5, height: 720, variants: [] },
  ]);
  assert.equal(groupMedia([{ url, seconds: NaN, height: 0 }])[0].seconds, null);
});

test('links: each once, without fragments, with the first words', () => {
  const links = tidyLinks([
    { url: 'https://h/a.zip#top', text: '' }, { url: 'https://h/a.zip', text: ' Archive ' }, { url: 'mailto:a@b', text: 'Mail' },
    { url: 'javascript:void 0', text: 'x' }, { url: 'https://h/film.mp4', text: 'Film' },
  ]);
  assert.deepEqual(links, [{ url: 'https://h/a.zip', text: 'Archive' }, { url: 'https://h/film.mp4', text: 'Film' }]);
  assert.deepEqual(filterLinks(links, 'video', '').map(({ text }) => text), ['Film']);
  assert.deepEqual(filterLinks(links, '', 'arch ZIP').map(({ text }) => text), ['Archive']);
  assert.deepEqual(filterLinks(links, 'audio', ''), []);
  assert.deepEqual(['https://h/a.pdf', 'https://h/a', 'https://h/a.tar.gz?x'].map(linkKind), ['document', 'other', 'archive']);
});

test('addresses are read out of a text, without what stands around them', () => {
  const text = 'https://a.example/x.zip, mirror: (http://b.example/y_(z)) and HTTPS://c.example/?q=1. Not ftp://d.example, not https://';
  assert.deepEqual(addressesIn(text).map(({ url }) => url), [
    'https://a.example/x.zip', 'http://b.example/y_(z)', 'HTTPS://c.example/?q=1',
  ]);
});
