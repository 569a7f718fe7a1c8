import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { giveBack, PageMemory, releasable } from '../../src/storage/sql/page-memory.js';

test('memory is used again once it was given back, and by nobody before', (t) => {
  const memory = new PageMemory();
  const first = memory.take(100);
  const second = memory.take(100);
  t.not(first.buffer, second.buffer);
  giveBack(first.subarray(0, 10));
  t.is(memory.take(100).buffer, first.buffer);
  t.not(memory.take(100).buffer, first.buffer);
});

test('a page gives its memory back once, however often it is asked to', (t) => {
  const memory = new PageMemory();
  const lines = memory.take(100);
  const { release } = releasable({ lines });
  release();
  t.is(memory.take(100).buffer, lines.buffer);
  release();
  t.not(memory.take(100).buffer, lines.buffer, 'it is of another page');
});

test('what is larger than memory that is free gets its own', (t) => {
  const memory = new PageMemory();
  giveBack(memory.take(100));
  const large = memory.take(20 * 2 ** 20);
  t.true(large.length >= 20 * 2 ** 20);
  giveBack(large);
  t.is(memory.take(10 * 2 ** 20).buffer, large.buffer);
});

test('what never comes back keeps nobody from getting memory', (t) => {
  const memory = new PageMemory();
  for (let lost = 0; lost < 20; lost++) memory.take(100);
  const kept = memory.take(100);
  giveBack(kept);
  t.is(memory.take(100).buffer, kept.buffer);
});

test('another thread gives memory back', async (t) => {
  const memory = new PageMemory();
  const lines = memory.take(100);
  const module = new URL('../../src/storage/sql/page-memory.js', import.meta.url).href;
  const worker = new Worker(
    `const { workerData } = require('node:worker_threads');
    import(workerData.module).then(({ giveBack }) => giveBack(workerData.lines));`,
    { eval: true, workerData: { module, lines } },
  );
  await once(worker, 'exit');
  t.is(memory.take(100).buffer, lines.buffer);
});

test('memory of others is left alone', (t) => {
  t.notThrows(() => giveBack(Buffer.alloc(10)));
});
