import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import type { WrittenSlice } from '../../src/export/export-slice.js';
import { SliceKeeper } from '../../src/export/slice-keeper.js';
import type { ExportProgress } from '../../src/export/export-progress.js';

/** A slice whose end is decided by the test. */
class Slice implements WrittenSlice {
  readonly isComplete = false;
  readonly progress: ExportProgress;
  readonly log: string[] = [];
  private readonly ending = Promise.withResolvers<[]>();
  readonly files = {
    finish: () => {
      this.log.push('finish');
      return this.ending.promise;
    },
    abort: async () => void this.log.push('abort'),
  };

  constructor(done: number) {
    this.progress = { steps: [], step: 0, after: null, total: 2, done, parts: {}, continued: [], issues: [] };
  }

  end(): void {
    this.ending.resolve([]);
  }

  fail(error: Error): void {
    this.ending.reject(error);
  }
}

test('a slice is finished when the one before is saved, and nobody waits for the first', async (t) => {
  const saved: number[] = [];
  const keeper = new SliceKeeper(async ({ progress }) => void saved.push(progress.done));
  const [first, second] = [new Slice(1), new Slice(2)];
  await keeper.keep(first);
  const kept = keeper.keep(second);
  await turn();
  t.deepEqual([first.log, second.log, saved], [['finish'], [], []]);
  first.end();
  await kept;
  t.deepEqual([second.log, saved], [['finish'], [1]]);
  second.end();
  await keeper.saved();
  t.deepEqual(saved, [1, 2]);
  t.notThrows(() => keeper.check());
});

test('what cannot be kept takes what came after it along', async (t) => {
  const saved: number[] = [];
  const keeper = new SliceKeeper(async ({ progress }) => void saved.push(progress.done));
  const [first, second] = [new Slice(1), new Slice(2)];
  await keeper.keep(first);
  first.fail(new Error('The disk is full.'));
  await turn();
  t.throws(() => keeper.check(), { message: 'The disk is full.' });
  await t.throwsAsync(keeper.keep(second), { message: 'The disk is full.' });
  await t.throwsAsync(keeper.saved(), { message: 'The disk is full.' });
  t.deepEqual([first.log, second.log, saved], [['finish', 'abort'], ['abort'], []]);
});

test('files of a slice that is refused are left to whoever refuses it', async (t) => {
  const keeper = new SliceKeeper(() => Promise.reject(new Error('Another one has the claim.')));
  const slice = new Slice(1);
  await keeper.keep(slice);
  slice.end();
  await t.throwsAsync(keeper.saved(), { message: 'Another one has the claim.' });
  t.deepEqual(slice.log, ['finish']);
});
