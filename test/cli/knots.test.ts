import test from 'ava';
import { orderKnots } from '../../src/cli/load/knots.js';

/** Members of the knots, in the order in which they are loaded. */
function ordered(targets: readonly (readonly number[])[]): readonly (readonly number[])[] {
  return orderKnots(targets).map(({ members }) => members);
}

test('what is referred to comes first, and what has nothing to do with each other is of one level', (t) => {
  t.deepEqual(ordered([[1], [2], [], [2]]), [[2], [1], [3], [0]]);
  t.deepEqual(
    orderKnots([[1], [2], [], [2]]).map(({ level }) => level),
    [0, 1, 1, 2],
  );
});

test('a circle is one knot, two that share a member are one, and a reference to itself is none', (t) => {
  t.deepEqual(ordered([[1], [2], [0], [0]]), [[0, 1, 2], [3]]);
  t.deepEqual(ordered([[1], [0, 2], [1]]), [[0, 1, 2]]);
  t.deepEqual(ordered([[0], [0]]), [[0], [1]]);
});

test('circles in a row come in their order', (t) => {
  t.deepEqual(ordered([[1, 2], [0], [3], [2, 4], []]), [[4], [2, 3], [0, 1]]);
});

test('a chain may be long', (t) => {
  const length = 100_000;
  const targets = Array.from({ length }, (_, node) => (node + 1 < length ? [node + 1] : []));
  const knots = orderKnots(targets);
  t.is(knots.length, length);
  t.deepEqual(knots.at(-1), { members: [0], level: length - 1 });
});
