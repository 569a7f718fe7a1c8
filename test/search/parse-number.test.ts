import test from 'ava';
import { parseComparedNumber } from '../../src/search/parse-number.js';

const RANGES: readonly [text: string, low: number, high: number][] = [
  ['100', 99.5, 100.5],
  ['100.00', 99.995, 100.005],
  ['1e2', 95, 105],
  ['0.1', 0.05, 0.15],
  ['5.4', 5.35, 5.45],
  ['5.40e-3', 0.005395, 0.005405],
  ['0', -0.5, 0.5],
  ['-2.5', -2.55, -2.45],
  ['ap100', 90, 110],
  ['ap0', -0.5, 0.5],
  ['ap-10', -11, -9],
];

for (const [text, low, high] of RANGES) {
  test(`${text} means [${low}, ${high})`, (t) => {
    const number = parseComparedNumber(text);
    t.deepEqual([number?.low, number?.high], [low, high]);
  });
}

test('a number has one of nine prefixes, or none', (t) => {
  t.deepEqual(
    ['5', 'eq5', 'ne5', 'gt5', 'lt5', 'ge5', 'le5', 'sa5', 'eb5', 'ap5'].map(
      (text) => parseComparedNumber(text)?.comparison,
    ),
    ['eq', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'],
  );
});

test('what is no decimal number is none', (t) => {
  for (const text of [
    '',
    'x',
    '1.',
    '.5',
    '0x10',
    '1e',
    '1,5',
    'gtgt5',
    'Infinity',
    'NaN',
    '1 ',
    '1e1000',
    '1'.repeat(41),
  ]) {
    t.is(parseComparedNumber(text), undefined, text);
  }
});
