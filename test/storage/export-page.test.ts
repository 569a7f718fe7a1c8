import test from 'ava';
import { PageMemory } from '../../src/storage/sql/page-memory.js';
import { PageBuilder, ROW_STATES, type RowState } from '../../src/storage/sql/export-page.js';

const { passed, live, deleted } = ROW_STATES;

const row = (rowId: number, state: RowState, updated = rowId) => {
  return { rowId, id: `r${rowId}`, version: 1, updated, state };
};

const text = (value: object): Buffer => Buffer.from(JSON.stringify(value));

function textOf(page: { readonly lines: Uint8Array }): string {
  return Buffer.from(page.lines).toString();
}

test('a page has a line for each text, and knows what was deleted', (t) => {
  const page = new PageBuilder({ bytes: 1_000, rows: 10 }, 'entries', new PageMemory());
  page.add(row(1, live), text({ id: 'ü' }));
  page.add(row(2, deleted), null);
  page.add(row(3, passed), null);
  page.add(row(4, live), text({ id: 'b' }));
  t.false(page.isFull);
  const { count, entries, deleted: gone, next, ...others } = page.finish();
  t.is(textOf(others), '{"id":"ü"}\n{"id":"b"}\n');
  t.is(count, 2);
  t.deepEqual(
    entries.map(({ id }) => id),
    ['r1', 'r4'],
  );
  t.deepEqual(
    gone.map(({ id }) => id),
    ['r2'],
  );
  t.is(next, null);
});

test('what is not one line of JSON is told of and left out', (t) => {
  const page = new PageBuilder({ bytes: 1_000, rows: 10 }, 'lines', new PageMemory());
  const broken = ['', '{"id":', 'id"}', '{"id":\n"x"}', 'null'];
  for (const [index, one] of broken.entries()) page.add(row(index + 1, live), Buffer.from(one));
  page.add(row(9, live), null);
  page.add(row(10, live), text({}));
  const { lines, unreadable, entries } = page.finish();
  t.is(textOf({ lines }), '{}\n');
  t.deepEqual(
    unreadable.map(({ rowId }) => rowId),
    [1, 2, 3, 4, 5, 9],
  );
  t.deepEqual(entries, []);
});

test('a page is full with the text that reaches its bytes, however large that is', (t) => {
  const large = text({ id: 'x'.repeat(3_000_000) });
  const page = new PageBuilder({ bytes: 2_000_000, rows: 10 }, 'lines', new PageMemory());
  page.add(row(1, live), text({ id: 'y'.repeat(700_000) }));
  page.add(row(2, live), text({ id: 'z'.repeat(700_000) }));
  t.false(page.isFull);
  page.add(row(3, live), large);
  t.true(page.isFull);
  const { lines, next } = page.finish();
  t.is(textOf({ lines }).split('\n')[2]?.length, large.length);
  t.deepEqual(next, { updated: 3, rowId: 3 });
});

test('a page that ends among versions that were passed over goes on with all of their time', (t) => {
  const page = new PageBuilder({ bytes: 1_000, rows: 3 }, 'lines', new PageMemory());
  page.add(row(7, live, 1), text({}));
  page.add(row(8, passed, 2), null);
  t.false(page.isFull);
  page.add(row(9, passed, 2), null);
  t.true(page.isFull);
  t.deepEqual(page.finish().next, { updated: 2, rowId: 8 });
});
