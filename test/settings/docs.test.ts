import { readFile } from 'node:fs/promises';
import test from 'ava';
import { settingsTable } from '../../src/settings/describe.js';

/** Without the spaces and dashes that the formatter aligns columns with. */
function unaligned(table: string): string {
  return table.replace(/ +/g, ' ').replace(/-{3,}/g, '---').trim();
}

test('the table of docs/settings.md is the one that the schema makes', async (t) => {
  const page = await readFile('docs/settings.md', 'utf8');
  const table = /<!-- settings:.*?-->(.*?)<!-- end of settings -->/s.exec(page)?.[1] ?? '';
  t.is(unaligned(table), unaligned(settingsTable()), 'run npm run docs:settings');
});
