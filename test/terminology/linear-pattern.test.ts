import test from 'ava';
import fc from 'fast-check';
import { linearPattern } from '../../src/terminology/linear-pattern.js';
import { PatternError } from '../../src/terminology/pattern-parser.js';
import { fastest } from '../support/fastest.js';

/** Pieces that mean the same here and in JavaScript; put together at random. */
const piece = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '[a-c]', String.raw`\d`, String.raw`\.`, '-'),
    fc.tuple(tie('node'), tie('node')).map((parts) => parts.join('')),
    fc.tuple(tie('node'), tie('node')).map(([one, other]) => `(${one}|${other})`),
    fc
      .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{1,}'))
      .map(([one, times]) => `(?:${one})${times}`),
  ),
})).node;
const subject = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', '.', '-'), maxLength: 8 });

test('a pattern matches what the whole of JavaScript’s pattern matches', (t) => {
  fc.assert(
    fc.property(piece, subject, (pattern, text) => {
      t.is(
        linearPattern(pattern)(text),
        new RegExp(`^(?:${pattern})$`, 'u').test(text),
        `${pattern} on ${text}`,
      );
    }),
    { numRuns: 2_000 },
  );
});

test('anchors at both ends say nothing new, and an escaped dollar is one', (t) => {
  t.true(linearPattern('^ab$')('ab'));
  t.true(linearPattern(String.raw`a\$`)('a$'));
  t.false(linearPattern('a')('ab'));
  t.true(linearPattern('')(''));
});

test('a pattern that explodes elsewhere takes its time by the length of the text', (t) => {
  const match = linearPattern('(a*)*(a|a)*(a+)+b');
  t.true(fastest(() => t.false(match('a'.repeat(20_000))), 1_000) < 1_000);
});

test('a pattern is given up where there is too much text to look through', (t) => {
  const match = linearPattern('(.*a?){3}x');
  const text = 'a'.repeat(10_000);
  t.throws(
    () => {
      for (let count = 0; count < 1_000; count++) match(text);
    },
    { instanceOf: PatternError, message: /too much text/ },
  );
});

test('what can’t be matched so is refused', (t) => {
  const refused = [
    String.raw`(a)\1`,
    '(?=a)b',
    '(?<!a)b',
    String.raw`\bword`,
    'a**',
    '*a',
    '(a',
    'a)',
    '[a',
    'a{2,1}',
    'a{101}',
    '((a{50}){50}){50}',
    '('.repeat(60) + ')'.repeat(60),
    'a'.repeat(501),
    'a^b',
  ];
  for (const pattern of refused)
    t.throws(() => linearPattern(pattern), { instanceOf: PatternError }, pattern);
});
