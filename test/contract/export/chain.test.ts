import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import type { Bundle, Resource } from 'fhir/r4.js';
import type { FhirClient } from '../support/fhir-client.js';
import { exported, openExportServer, patientOf } from './fixtures.js';

const IDS = Array.from({ length: 12 }, (_, at) => `p${at}`);
const ROUNDS = 4;

/** Writes and deletes without pause until it is told to stop; answers how often. */
async function writeUntil(client: FhirClient, isOver: () => boolean, seed: number): Promise<number> {
  let turn = 0;
  for (; !isOver(); turn++) {
    const id = IDS[(turn * 7 + seed * 5) % IDS.length]!;
    const isDeletion = (turn * 3 + seed) % 4 === 0;
    if (isDeletion) await client.delete(`Patient/${id}`);
    else await client.put(`Patient/${id}`, patientOf(id, { multipleBirthInteger: turn }));
    await pause(1);
  }
  return turn;
}

/** What the tenant has: texts by id. */
async function contents(client: FhirClient): Promise<Readonly<Record<string, string>>> {
  const { body } = await client.get<Bundle>('Patient?_count=1000');
  const resources = (body.entry ?? []).map(({ resource }) => resource as Resource);
  return Object.fromEntries(resources.map((resource) => [resource.id, JSON.stringify(resource)]));
}

test('exports one after the other, under writes, add up to what is stored', async (t) => {
  const { server, acme } = await openExportServer({ settings: { exportFileBytes: 700 } });
  t.teardown(() => server.stop());
  const replayed: Record<string, string> = {};
  let since = '';
  const takeOver = async (): Promise<void> => {
    const { resources, deleted, output, manifest } = await exported(acme, `$export${since}`);
    t.is(
      new Set([...output, ...deleted]).size,
      output.length + deleted.length,
      'each once, and in one of both',
    );
    for (const path of deleted) delete replayed[path.split('/')[1]!];
    for (const resource of resources) {
      t.true(Date.parse(resource.meta?.lastUpdated ?? '') <= Date.parse(manifest.transactionTime));
      replayed[resource.id ?? ''] = JSON.stringify(resource);
    }
    since = `?_since=${encodeURIComponent(manifest.transactionTime)}`;
  };
  let isOver = false;
  const writers = [1, 2, 3].map((seed) => writeUntil(acme, () => isOver, seed));
  for (let round = 0; round < ROUNDS; round++) await takeOver();
  isOver = true;
  const writes = await Promise.all(writers);
  t.true(writes.every((count) => count > 10));
  await takeOver();
  t.deepEqual(replayed, await contents(acme));
  await takeOver();
  t.deepEqual(replayed, await contents(acme));
});
