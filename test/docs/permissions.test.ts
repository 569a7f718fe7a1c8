import { readFile } from 'node:fs/promises';
import test from 'ava';
import { OPERATIONS, type OperationPermission } from '../../src/operations/operations.js';
import { tableRows } from './table-rows.js';

function needOf(permission: OperationPermission): string {
  switch (permission.kind) {
    case 'type':
      return `type: ${permission.permissions.map((one) => `\`${one[0]}\``).join(', ')}`;
    case 'token':
      return 'any';
    case 'admin':
      return 'administrator';
    case 'itself':
      return 'itself';
  }
}

test('the table of docs/permissions.md is what operations need', async (t) => {
  const page = await readFile('docs/permissions.md', 'utf8');
  const rows = OPERATIONS.map(({ name, levels, permission, type }) => [
    type === undefined ? `\`${name}\`` : `\`${type}/${name}\``,
    levels.join(', '),
    needOf(permission),
  ]);
  t.deepEqual(tableRows(page, 'permissions'), rows);
});
