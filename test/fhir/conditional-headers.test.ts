import test from 'ava';
import fc from 'fast-check';
import {
  formatEntityTag,
  formatHttpDate,
  includesVersion,
  isNotModified,
  parseEntityTags,
  parseHttpDate,
  parseHttpTime,
  type EntityTags,
} from '../../src/fhir/conditional-headers.js';
import { FhirError } from '../../src/model/errors.js';

test('entity tags are weak, strong or bare, one or several', (t) => {
  t.deepEqual(tags('W/"3"'), { kind: 'versions', versions: ['3'] });
  t.deepEqual(tags('"3"'), { kind: 'versions', versions: ['3'] });
  t.deepEqual(tags('3'), { kind: 'versions', versions: ['3'] });
  t.deepEqual(tags('W/"3", "4" ,W/"abc"'), { kind: 'versions', versions: ['3', '4', 'abc'] });
  t.deepEqual(tags(' * '), { kind: 'any' });
});

for (const text of [
  '',
  'W/3"',
  '"3',
  'W/"3",',
  'w/"3"',
  '*, "3"',
  '3 4',
  '""3""',
  'W/"a b"',
  `"${'9'.repeat(65)}"`,
]) {
  test(`${JSON.stringify(text).slice(0, 30)} is no list of entity tags`, (t) => {
    const error = t.throws(() => parseEntityTags(text, 'If-None-Match'), { instanceOf: FhirError });
    t.is(error.status, 400);
    t.regex(error.message, /If-None-Match/);
  });
}

test('tags name a version or any', (t) => {
  t.true(includesVersion(parseEntityTags('"1", "2"', 'If-Match'), 2));
  t.false(includesVersion(parseEntityTags('"1", "02"', 'If-Match'), 2));
  t.true(includesVersion({ kind: 'any' }, 2));
  t.is(formatEntityTag(3), 'W/"3"');
});

test('the three forms of HTTP date mean the same time', (t) => {
  const time = Date.UTC(1994, 10, 6, 8, 49, 37);
  t.is(formatHttpDate(time + 999), 'Sun, 06 Nov 1994 08:49:37 GMT');
  t.is(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT'), time);
  t.is(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT'), time);
  t.is(parseHttpDate('Sun Nov  6 08:49:37 1994'), time);
});

test('HTTP dates survive a round trip to the second', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), (time) => {
      t.is(parseHttpDate(formatHttpDate(time)), Math.floor(time / 1000) * 1000);
    }),
  );
});

test('If-Modified-Since is an HTTP date, or an instant in a bundle', (t) => {
  t.is(parseHttpTime('Sun, 06 Nov 1994 08:49:37 GMT', 'If-Modified-Since'), Date.UTC(1994, 10, 6, 8, 49, 37));
  t.is(
    parseHttpTime('2020-01-02T03:04:05.678+01:00', 'If-Unmodified-Since'),
    Date.UTC(2020, 0, 2, 2, 4, 5, 678),
  );
  for (const text of [
    '',
    'yesterday',
    '2020',
    '2020-01-02',
    'Sun, 31 Feb 1994 08:49:37 GMT',
    '2020-13-02T03:04:05Z',
  ]) {
    const error = t.throws(() => parseHttpTime(text, 'If-Modified-Since'), { instanceOf: FhirError });
    t.is(error.status, 400);
  }
});

test('a read is answered 304 by version first, then by time in seconds', (t) => {
  const current = { version: 3, updated: 10_500 };
  t.false(isNotModified(current, {}));
  t.true(isNotModified(current, { ifNoneMatch: tags('W/"3"') }));
  t.true(isNotModified(current, { ifNoneMatch: tags('*') }));
  t.false(isNotModified(current, { ifNoneMatch: tags('W/"2"'), ifModifiedSince: 99_000 }));
  t.true(isNotModified(current, { ifModifiedSince: 10_000 }));
  t.false(isNotModified(current, { ifModifiedSince: 9_000 }));
});

function tags(text: string): EntityTags {
  return parseEntityTags(text, 'If-Match');
}
