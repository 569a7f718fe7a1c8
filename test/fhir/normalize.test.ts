import test from 'ava';
import fc from 'fast-check';
import { cutText, MAX_INDEXED_LENGTH, normalizeString } from '../../src/fhir/normalize.js';

test('case, accents and repeated white space do not count', (t) => {
  t.is(normalizeString('  Ångström\t\n José '), 'angstrom jose');
  t.is(normalizeString('İstanbul'), 'istanbul');
  t.is(normalizeString('a\u0301'), normalizeString('á'));
});

test('letters of other scripts are kept', (t) => {
  t.is(normalizeString('Иванов 山田'), 'иванов 山田');
});

test('text is cut at 512 characters, never through a surrogate pair', (t) => {
  t.is(normalizeString('x'.repeat(600)).length, MAX_INDEXED_LENGTH);
  t.is(cutText('x'.repeat(511) + '😀').length, 511);
  t.is(cutText('x'.repeat(510) + '😀').length, 512);
});

test('normalizing twice changes nothing', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 600 }), (text) => {
      const once = normalizeString(text);
      return normalizeString(once) === once && once.length <= MAX_INDEXED_LENGTH;
    }),
  );
  t.pass();
});
