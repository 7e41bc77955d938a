import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readPairing } from '../../extension/shared/pairing.js';

test('what the dashboard shows', () => {
  assert.deepEqual(readPairing('http://nas:8000#pair=ABCD-2345'), { server: 'http://nas:8000', code: 'ABCD-2345' });
  assert.deepEqual(readPairing('https://nas.example/idm/#pair=ABCD-2345\n'), { server: 'https://nas.example/idm', code: 'ABCD-2345' });
});

test('codes of other things', () => {
  const others = [
    '', 'ABCD-2345', 'https://example.org/', 'https://example.org/#pair=', 'https://example.org/#other=ABCD-2345', '#pair=ABCD-2345',
    'javascript:alert(1)#pair=ABCD-2345', 'http://user:secret@nas#pair=ABCD-2345', 'http://nas/?a=1#pair=ABCD-2345',
    'http://nas#pair=<b>', `http://nas#pair=${'A'.repeat(21)}`, 'WIFI:S:home;T:WPA;P:secret;;',
  ];
  for (const text of others) assert.equal(readPairing(text), null, text);
});
