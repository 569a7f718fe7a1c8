import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { inTurns } from '../../src/http/turns.js';

/** Takes some milliseconds for each step. */
function* slow(steps: number): Generator<number, string> {
  for (let step = 0; step < steps; step++) {
    const end = performance.now() + 5;
    while (performance.now() < end);
    yield step;
  }
  return 'done';
}

test('what takes long lets others have their turns, and keeps the order of its steps', async (t) => {
  let turns = 0;
  const work = { isDone: false };
  const others = (async () => {
    while (!work.isDone) {
      await setImmediate();
      turns += 1;
    }
  })();
  const told: number[] = [];
  t.is(await inTurns(slow(20), (step) => told.push(step)), 'done');
  work.isDone = true;
  await others;
  t.deepEqual(told, [...Array(20).keys()]);
  t.true(turns >= 5, String(turns));
});

test('what ends at once waits for nobody', async (t) => {
  let turns = 0;
  const other = setImmediate().then(() => (turns += 1));
  t.is(await inTurns(slow(0)), 'done');
  t.is(turns, 0);
  await other;
});

test('what a step throws ends it', async (t) => {
  const failing = (function* (): Generator<undefined, void> {
    yield;
    throw new RangeError('x');
  })();
  await t.throwsAsync(inTurns(failing), { instanceOf: RangeError });
});
