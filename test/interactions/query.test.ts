import test from 'ava';
import fc from 'fast-check';
import { parseQuery } from '../../src/interactions/query.js';

test('a query is read as forms are: order and repeated names kept, plus signs as spaces', (t) => {
  t.deepEqual(parseQuery('a=1&b&&a=x+y&=z&c=1=2'), [
    ['a', '1'],
    ['b', ''],
    ['a', 'x y'],
    ['', 'z'],
    ['c', '1=2'],
  ]);
});

test('what URLSearchParams has written is read again', (t) => {
  const text = fc.string({ unit: 'grapheme' }).filter((value) => !/[\0\uFFFD]/.test(value));
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text)), (parameters) => {
      t.deepEqual(parseQuery(new URLSearchParams(parameters).toString()), parameters);
    }),
    { numRuns: 200 },
  );
});

test('broken escapes, NUL and invalid UTF-8 are refused', (t) => {
  for (const query of ['a=%', 'a=%4', '%zz=1', 'a=%00', 'a=%FF', 'a=%C3', '%ED%A0%80=1', 'a=%EF%BF%BD']) {
    t.throws(() => parseQuery(query), { message: /The query has/ }, query);
  }
});
