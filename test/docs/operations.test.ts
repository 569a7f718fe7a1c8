import { readFile } from 'node:fs/promises';
import test from 'ava';
import { OPERATIONS } from '../../src/operations/operations.js';
import { tableRows } from './table-rows.js';

test('the table of docs/operations.md is the table of operations', async (t) => {
  const page = await readFile('docs/operations.md', 'utf8');
  const operations = OPERATIONS.map(({ name, levels, methods, serverOnly, definition }) => [
    `\`${name}\``,
    levels.join(', '),
    methods.filter((method) => method !== 'HEAD').join(', '),
    serverOnly ? 'server only' : 'every',
    `\`${definition}\``,
  ]);
  t.deepEqual(tableRows(page, 'operations'), operations);
});
