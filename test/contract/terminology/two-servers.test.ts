import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import type { ValueSet } from 'fhir/r4.js';
import { createTestDatabase } from '../../support/test-database.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { valueSetOf } from './definitions.js';

/** Two servers on one database know of each other only through it, as two processes do. */
const database = await createTestDatabase();
const servers = [await createTestServer({ database }), await createTestServer({ database })] as const;
const [here, there] = servers.map(({ url }) => new FhirClient(url)) as [FhirClient, FhirClient];
test.after.always(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await database.drop();
});

const URL = 'http://example.org/vs/shared';
const COHERENT_MS = 1_000;

/** The codes that a server gives the value set; undefined where it has none. */
async function codesAt(client: FhirClient): Promise<string | undefined> {
  const { status, body } = await client.get<ValueSet>(`ValueSet/$expand?url=${URL}`);
  return status === 200 ? body.expansion?.contains?.map(({ code }) => code).join() : undefined;
}

/** Milliseconds until the other server answers so. */
async function untilSeen(codes: string | undefined): Promise<number> {
  const begin = Date.now();
  while ((await codesAt(there)) !== codes && Date.now() - begin < 5 * COHERENT_MS) await pause(20);
  return Date.now() - begin;
}

/** Milliseconds until what has just been written `here` is seen `there`. */
async function spread(code: string): Promise<number> {
  const body = { ...valueSetOf(URL, { system: 'urn:x', concept: [{ code }] }), id: 'shared' };
  await here.send('PUT', 'ValueSet/shared', { body });
  return untilSeen(code);
}

test('a value set that one server writes, changes and deletes, the other sees within a second', async (t) => {
  t.is(await codesAt(there), undefined);
  // Others on the machine may slow down one of them, not each.
  const times: number[] = [];
  for (const code of ['a', 'b', 'c']) times.push(await spread(code));
  t.true(Math.min(...times) < COHERENT_MS, `${times.join(', ')} ms`);
  t.is(await codesAt(there), 'c');
  await here.send('DELETE', 'ValueSet/shared');
  t.is(await codesAt(here), undefined);
  await untilSeen(undefined);
  t.is(await codesAt(there), undefined);
});
