import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import Database from 'better-sqlite3';
import { Client } from 'pg';
import { quota } from '../../../interceptors/quota.js';
import type { Quota } from '../../../src/index.js';
import type { PartitionId } from '../../../src/model/partition.js';
import { createTestServer, type StoreTestOptions, type TestServer } from '../../support/test-server.js';
import { dated } from '../support/dated.js';
import { type Answer, FhirClient } from '../support/fhir-client.js';

/** Limits by the name of the partition; they may be changed while the server runs. */
export type Limits = Record<string, Quota | undefined>;

/** A server whose partition 1, acme, has a quota, and partition 2, beta, has none. */
export interface Limited {
  readonly server: TestServer;
  readonly acme: FhirClient;
  readonly beta: FhirClient;
}

export const ACME = 1 as PartitionId;

/** Starts one that ends with the test. */
export async function openLimited(
  t: ExecutionContext,
  limits: Limits,
  { interceptors = [], settings, ...others }: StoreTestOptions = {},
): Promise<Limited> {
  const server = await createTestServer({
    partitions: ['acme', 'beta'],
    ...others,
    settings: { validation: 'off', ...settings },
    interceptors: [...interceptors, quota({ of: (name) => limits[name] })],
  });
  t.teardown(() => server.stop());
  const root = new FhirClient(server.url);
  return { server, acme: root.tenant('acme'), beta: root.tenant('beta') };
}

/** A server as above, on which the language of a resource says its partition date. */
export function openDated(
  t: ExecutionContext,
  limits: Limits,
  options: StoreTestOptions = {},
): Promise<Limited> {
  const settings = { ...options.settings, partitioning: ['interceptors'] as const };
  return openLimited(t, limits, { ...options, settings, interceptors: [dated] });
}

/** A patient; `bytes` of its text, more or less, are its name. */
export function patientOf(id: string, bytes = 10) {
  return { resourceType: 'Patient', id, name: [{ family: 'ä'.repeat(Math.ceil(bytes / 2)) }] };
}

/** A transaction or batch of creates by update, and deletes. */
export function bundleOf(
  type: 'batch' | 'transaction',
  changes: { readonly puts?: readonly string[]; readonly deletes?: readonly string[] },
) {
  const { puts = [], deletes = [] } = changes;
  return {
    resourceType: 'Bundle',
    type,
    entry: [
      ...puts.map((id) => ({
        resource: patientOf(id),
        request: { method: 'PUT', url: `Patient/${id}` },
      })),
      ...deletes.map((id) => ({ request: { method: 'DELETE', url: `Patient/${id}` } })),
    ],
  };
}

/** What $usage tells of the one partition. */
export async function usageOf(client: FhirClient): Promise<Readonly<Record<string, unknown>>> {
  const { body } = await client.get<{ parameter: { part: { name: string }[] }[] }>('$usage');
  const [partition] = body.parameter;
  return Object.fromEntries(
    (partition?.part ?? []).map(({ name, ...value }) => [name, Object.values(value)[0]]),
  );
}

/** Shows that what is kept of acme is what there is. */
export async function assertExact(t: ExecutionContext, { server }: Pick<Limited, 'server'>): Promise<void> {
  const { usages } = server.bulkhead.parts;
  const kept = await usages.read(ACME);
  t.not(kept, undefined, 'nothing is kept');
  const counted = await usages.count(ACME);
  t.deepEqual(counted, { usage: kept!, drift: { resources: 0, bytes: 0 } });
}

/** Changes rows of acme in the main database, behind the servers' backs. */
export async function change(url: string, sql: string): Promise<void> {
  if (url.startsWith('sqlite:')) {
    const db = new Database(url.slice('sqlite:'.length));
    db.exec(sql);
    db.close();
    return;
  }
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`set role bulkhead_app; set bulkhead.partition = '${ACME}'; ${sql}`);
  } finally {
    await client.end();
  }
}

/** Waits for the end of a move or purge. */
export async function settled(t: ExecutionContext, { server }: Pick<Limited, 'server'>): Promise<void> {
  for (let tries = 0; ; tries++) {
    const jobs = await server.bulkhead.parts.partitions.jobs();
    if (jobs.every(({ state }) => state === 'done')) return;
    t.true(tries < 600, 'the job ends');
    await pause(50);
  }
}

/** How often each status came. */
export function tally(answers: readonly Answer<unknown>[]): Readonly<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
