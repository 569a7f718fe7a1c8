import test from 'ava';
import { isPrimitive, PRIMITIVES, type PrimitiveName } from '../../../src/fhir/validate/primitives.js';
import { fastest } from '../../support/fastest.js';

/** A megabyte takes a millisecond or two; what backtracks takes minutes. */
const QUICK_MS = 50;
const ONE_MEGABYTE = 1024 * 1024;

const EXAMPLES: Readonly<
  Record<PrimitiveName, { readonly right: readonly unknown[]; readonly wrong: readonly unknown[] }>
> = {
  boolean: { right: [true, false], wrong: ['true', 0, null] },
  integer: { right: [0, -1, 2_147_483_647, -2_147_483_648], wrong: [1.5, 2_147_483_648, '1', Infinity] },
  unsignedInt: { right: [0, 2_147_483_647], wrong: [-1, 0.5, 2_147_483_648] },
  positiveInt: { right: [1], wrong: [0, -1] },
  decimal: { right: [0, 1.5, -1e-22], wrong: ['1.5', Number.NaN, Infinity] },
  string: { right: ['a', ' ', 'a\tb\r\nc', 'é😀'], wrong: ['', 'a\u0000', '\u001b', 1, null] },
  markdown: { right: ['# a\n\n* b'], wrong: ['', '\u0007'] },
  code: { right: ['a', 'a b', 'http://x#y'], wrong: ['', ' a', 'a ', 'a  b', 'a\n\nb'] },
  id: { right: ['a', 'A-1.b', 'x'.repeat(64)], wrong: ['', 'a b', 'a_b', 'a/b', 'x'.repeat(65), 'a\n'] },
  uri: { right: ['http://a', 'urn:x:y', 'a', 'é'], wrong: ['', 'a b', 'a\n', '\t'] },
  url: { right: ['mailto:a@example.org'], wrong: ['a b'] },
  canonical: { right: ['http://a|1'], wrong: ['http://a |1'] },
  oid: {
    right: ['urn:oid:1.2.3', 'urn:oid:2.16.840.0'],
    wrong: ['1.2.3', 'urn:oid:3.1', 'urn:oid:1', 'urn:oid:1.', 'urn:oid:1.02', 'urn:oid:1..2', 'urn:oid:1.a'],
  },
  uuid: {
    right: ['urn:uuid:c757873d-ec9a-4326-a141-556f43239520'],
    wrong: ['c757873d-ec9a-4326-a141-556f43239520', 'urn:uuid:C757873D-EC9A-4326-A141-556F43239520'],
  },
  base64Binary: {
    right: ['QQ==', 'QUI=', 'QUJD', 'QU\nJD', ' QQ = = '],
    wrong: ['', ' ', 'QQ', 'QQ=', 'Q===', 'QQ==QQ==', 'QUJ*', '====', 'QU-_'],
  },
  date: {
    right: ['2020', '2020-02', '2020-02-29', '2000-02-29', '0001-12-31'],
    wrong: [
      '0000',
      '20',
      '2020-13',
      '2020-00',
      '2020-2-1',
      '2021-02-29',
      '1900-02-29',
      '2020-04-31',
      '2020-01-01T',
    ],
  },
  dateTime: {
    right: [
      '2020',
      '2020-01-01T23:59:60Z',
      '2020-01-01T00:00:00.123456789+14:00',
      '2020-01-01T00:00:00-05:30',
    ],
    wrong: [
      '2020-01-01T00:00:00',
      '2020-01-01T00:00Z',
      '2020-01-01T24:00:00Z',
      '2020-02-30T00:00:00Z',
      '2020-01-01T00:00:00+14:30',
      '2020-01-01 00:00:00Z',
    ],
  },
  instant: { right: ['2020-01-01T00:00:00Z'], wrong: ['2020-01-01', '2020-06-31T00:00:00Z'] },
  time: { right: ['00:00:00', '23:59:59.5'], wrong: ['24:00:00', '1:00:00', '10:00', '10:00:00Z'] },
};

for (const [name, { right, wrong }] of Object.entries(EXAMPLES)) {
  test(`${name} accepts what it is and nothing else`, (t) => {
    t.true(isPrimitive(name));
    const { accepts } = PRIMITIVES[name as PrimitiveName];
    for (const value of right) t.true(accepts(value), JSON.stringify(value));
    for (const value of wrong) t.false(accepts(value), JSON.stringify(value));
  });
}

test('names of Object.prototype are no primitives', (t) => t.false(isPrimitive('toString')));

test('a string has at most 1,048,576 characters', (t) => {
  t.true(PRIMITIVES.string.accepts('a'.repeat(ONE_MEGABYTE)));
  t.false(PRIMITIVES.string.accepts('a'.repeat(ONE_MEGABYTE + 1)));
});

const SEEDS = ['a', 'a ', ' ', '1', '.1', '0', '=', 'A=', '\n', 'é'];
const STARTS = ['', 'a', '2020-01-01T00:00:00.', 'urn:oid:1', 'urn:uuid:'];

for (const [name, primitive] of Object.entries(PRIMITIVES)) {
  if (primitive.json !== 'string') continue;
  test.serial(`${name} takes linear time over a megabyte made to backtrack`, (t) => {
    for (const start of STARTS) {
      for (const seed of SEEDS) {
        const hostile = `${start}${seed.repeat(ONE_MEGABYTE / seed.length)}!`;
        const ms = fastest(() => primitive.accepts(hostile), QUICK_MS);
        t.true(ms < QUICK_MS, `${JSON.stringify(start + seed)}… took ${ms} ms`);
      }
    }
  });
}
