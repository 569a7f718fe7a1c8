import test from 'ava';
import type { Bundle, FhirResource } from 'fhir/r4.js';
import type { PartitionId } from '../../../src/model/partition.js';
import { type CopiesProgress, renewCopies } from '../../../src/partition/renew-copies.js';
import { toStorageOptions } from '../../../src/storage-options.js';
import { openStorage } from '../../../src/storage/open-storage.js';
import { createReindexServer, reindexed } from '../reindex/fixtures.js';
import { createTestDatabase } from '../../support/test-database.js';
import { explainOf, lift, upliftChain } from './uplift-fixtures.js';
import { put } from './uplift-world.js';

/** More than one transaction gives copies to. */
const MANY = 501;

const database = await createTestDatabase('search-parameters');
const { server, client, settle } = await createReindexServer({ database, partitions: ['acme'] });
const acme = client.tenant('acme');
const storage = await openStorage(toStorageOptions(server.bulkhead.settings, Date.now));
test.after.always(async () => {
  await storage.close();
  await server.stop();
  await database.drop();
});

const ACME = 1 as PartitionId;

function patientOf(value: string): FhirResource {
  return { resourceType: 'Patient', id: 'many', identifier: [{ system: 'urn:renewed', value }] };
}

/** One step of a renewal, as a job takes it that was killed before it. */
function step(reached: CopiesProgress | null): Promise<CopiesProgress | undefined> {
  const progress = JSON.parse(JSON.stringify(reached)) as CopiesProgress | null;
  const rules = server.bulkhead.parts.parameters.uplifts;
  return storage.useRows(ACME, (rows) => renewCopies(rows, rules, ACME, progress));
}

async function total(value: string): Promise<number | undefined> {
  const search = `Observation?patient.identifier=urn:renewed|${value}&_summary=count`;
  return (await acme.get<Bundle>(search)).body.total;
}

async function staleTargets(): Promise<number> {
  const stale = await storage.useRows(ACME, ({ copies }) => copies.stale(ACME, ['Patient'], 10));
  return stale.length;
}

test('what changes while copies are renewed waits for the next renewal', async (t) => {
  await lift(client, 'clinical-patient', [upliftChain('identifier', 'patient-identifier')]);
  settle();
  await reindexed(client, 'Patient/$reindex');
  await put(acme, [patientOf('first')]);
  for (let at = 0; at < MANY; at += 251) {
    const observations = Array.from({ length: Math.min(251, MANY - at) }, (_, place): FhirResource => ({
      resourceType: 'Observation',
      id: `o${at + place}`,
      status: 'final',
      code: { text: 'x' },
      subject: { reference: 'Patient/many' },
    }));
    await put(acme, observations);
  }
  await put(acme, [patientOf('second')]);
  t.is(await staleTargets(), 1);
  let progress = await step(null);
  t.truthy(progress?.after);
  await put(acme, [patientOf('third')]);
  t.is(await staleTargets(), 2);
  for (let steps = 0; progress !== undefined; steps++) {
    t.true(steps < 20);
    progress = await step(progress);
  }
  t.is(await staleTargets(), 1);
  for (progress = await step(null); progress !== undefined;) progress = await step(progress);
  t.is(await staleTargets(), 0);
  t.is(await total('third'), MANY);
  t.is((await total('second')) ?? -1, 0);
  const { sql } = await explainOf(client, 'acme', 'Observation?patient.identifier=urn:renewed|third');
  t.notRegex(sql, /HFJ_RES_LINK/i);
});
