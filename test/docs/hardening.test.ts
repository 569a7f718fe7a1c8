import { readFile } from 'node:fs/promises';
import test from 'ava';
import { LIMITS } from '../../src/settings/limits.js';
import { tableRows } from './table-rows.js';

const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** `32 MiB`, `64` or `0 (none)` as a number. */
function numberOf(text: string): number {
  const [digits = '', unit = ''] = text.split(' ');
  return Number(digits) * (UNITS[unit] ?? 1);
}

test('docs/hardening.md lists every limit with its default', async (t) => {
  const rows = tableRows(await readFile('docs/hardening.md', 'utf8'), 'limits');
  const told = rows.map(([name = '', value = '']) => [name.replaceAll('`', ''), numberOf(value)]);
  t.deepEqual(
    told,
    Object.entries(LIMITS).map(([name, { default: value }]) => [name, value]),
  );
});
