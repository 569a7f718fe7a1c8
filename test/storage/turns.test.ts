import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { Turns } from '../../src/storage/placement/turns.js';

test('so many run at once and no more, in the order in which they came, also where some fail', async (t) => {
  const turns = new Turns(3);
  const begun: number[] = [];
  let running = 0;
  const work = Array.from({ length: 20 }, (_, number) =>
    turns.run(async () => {
      begun.push(number);
      t.true(++running <= 3);
      await pause(number % 3);
      running--;
      if (number % 4 === 0) throw new Error('failed');
      return number;
    }),
  );
  const ends = await Promise.allSettled(work);
  t.is(ends.filter(({ status }) => status === 'rejected').length, 5);
  t.deepEqual(
    begun,
    begun.toSorted((a, b) => a - b),
  );
  t.is(await turns.run(async () => 'free again'), 'free again');
});
