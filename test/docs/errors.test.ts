import { readFile } from 'node:fs/promises';
import test from 'ava';
import type { OperationOutcome } from 'fhir/r4.js';
import { ERROR_CATALOGUE } from '../../src/model/errors.js';
import { createTestServer } from '../support/test-server.js';
import { tableRows } from './table-rows.js';

test('the table of docs/errors.md is the error catalogue', async (t) => {
  const page = await readFile('docs/errors.md', 'utf8');
  const catalogue = Object.entries(ERROR_CATALOGUE).map(([code, { status, issue, advice }]) => [
    `\`${code}\``,
    String(status),
    `\`${issue}\``,
    advice,
  ]);
  t.deepEqual(tableRows(page, 'errors'), catalogue);
});

test('the example of docs/errors.md is what the server answers', async (t) => {
  const page = await readFile('docs/errors.md', 'utf8');
  const [, json = ''] = /```json\n(.*?)```/s.exec(page) ?? [];
  const server = await createTestServer();
  try {
    const response = await server.fetch('Patient/never');
    t.is(response.status, 404);
    t.deepEqual((await response.json()) as OperationOutcome, JSON.parse(json) as OperationOutcome);
  } finally {
    await server.stop();
  }
});
