import test from 'ava';
import { compareVersions, parseCanonical, toCanonical } from '../../src/terminology/canonical.js';

test('a canonical is a URL, with or without a version', (t) => {
  t.deepEqual(parseCanonical('urn:x'), { url: 'urn:x', version: undefined });
  t.deepEqual(parseCanonical('urn:x|1.0'), { url: 'urn:x', version: '1.0' });
  t.deepEqual(parseCanonical('urn:x|'), { url: 'urn:x', version: undefined });
  t.is(toCanonical('urn:x', '1.0'), 'urn:x|1.0');
  t.is(toCanonical('urn:x', undefined), 'urn:x');
});

test('numbers in versions count as numbers, and none is the oldest', (t) => {
  const ordered = [undefined, '1', '1.0-beta', '1.2', '1.10', '2', '10', '2020-01-02'];
  t.deepEqual(
    ordered
      .toReversed()
      .toSorted((one, other) => compareVersions(one ?? '', other ?? ''))
      .filter(Boolean),
    ordered.filter(Boolean),
  );
  t.true(compareVersions(undefined, '0') < 0);
  t.is(compareVersions('1.0', '1.0'), 0);
});
