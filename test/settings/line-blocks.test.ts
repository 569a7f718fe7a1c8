import test from 'ava';
import { LineBlocks } from '../../src/log/line-blocks.js';

function aSink() {
  const blocks: Buffer[] = [];
  const calls: string[] = [];
  const lines = new LineBlocks({
    write: (block) => void blocks.push(block),
    flush: (done) => {
      calls.push('flush');
      done();
    },
    flushSync: () => void calls.push('flushSync'),
  });
  return { lines, blocks, calls, text: () => Buffer.concat(blocks).toString('utf8') };
}

test('lines wait for neighbours, and come in order', async (t) => {
  const { lines, blocks, text } = aSink();
  lines.write('one\n');
  lines.write('zwölf 🦊\n');
  t.is(blocks.length, 0);
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.is(blocks.length, 1);
  t.is(text(), 'one\nzwölf 🦊\n');
});

test('nothing is lost where lines fill a block, or are longer than one', (t) => {
  const { lines, calls, text } = aSink();
  const written = Array.from({ length: 3000 }, (_, index) => `${index} ${'ü'.repeat(index % 100)}\n`);
  written.splice(1500, 0, `${'long '.repeat(30_000)}\n`);
  for (const line of written) lines.write(line);
  lines.flushSync();
  t.is(text(), written.join(''));
  t.deepEqual(calls, ['flushSync']);
});

test('a flush passes on what waits before it calls back', async (t) => {
  const { lines, text } = aSink();
  lines.write('one\n');
  await new Promise<void>((resolve) => lines.flush(() => resolve()));
  t.is(text(), 'one\n');
});
