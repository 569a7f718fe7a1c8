import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import type { Bundle, FhirResource } from 'fhir/r4.js';
import type { PartitionId } from '../../../src/model/partition.js';
import { toStorageOptions } from '../../../src/storage-options.js';
import { openStorage } from '../../../src/storage/open-storage.js';
import { createTestDatabase } from '../../support/test-database.js';
import { createReindexServer, reindexed } from '../reindex/fixtures.js';
import { observationOn } from '../support/observations.js';
import { matchesOf } from './fixtures.js';
import { explainOf, lift, upliftChain } from './uplift-fixtures.js';
import { put } from './uplift-world.js';

/** More than one transaction deletes. */
const MANY = 501;
const PARAMETER = 'clinical-patient';

const database = await createTestDatabase('search-parameters');
const { server, client, settle } = await createReindexServer({ database, partitions: ['acme', 'beta'] });
const { partitions, settings } = server.bulkhead;
const storage = await openStorage(toStorageOptions(settings, Date.now));
test.after.always(async () => {
  await storage.close();
  await server.stop();
  await database.drop();
});

function patientOf(id: string, value: string): FhirResource {
  return { resourceType: 'Patient', id, identifier: [{ system: 'urn:retired', value }] };
}

async function found(tenant: string, value: string): Promise<readonly (string | undefined)[]> {
  const search = `Observation?patient.identifier=urn:retired|${value}&_count=1000`;
  return matchesOf(await client.tenant(tenant).get<Bundle>(search)).toSorted();
}

function liftIt(): Promise<void> {
  return lift(client, PARAMETER, [upliftChain('identifier', 'patient-identifier')]);
}

async function bring(): Promise<void> {
  settle();
  const status = await reindexed(client, '$reindex', [
    { name: 'type', valueCode: 'Patient' },
    { name: 'type', valueCode: 'Group' },
  ]);
  if (status['state'] !== 'done') throw new Error(JSON.stringify(status));
}

/** Index rows of both tenants. */
function indexRows(): Promise<readonly number[]> {
  return Promise.all(
    ['acme', 'beta'].map(async (name) => {
      const id = partitions.read({ name }).id as PartitionId;
      return (await storage.useRows(id, (rows) => rows.contents(id))).indexRows;
    }),
  );
}

async function isLifted(): Promise<boolean> {
  const { sql } = await explainOf(client, 'acme', 'Observation?patient.identifier=urn:retired|x');
  return !/HFJ_RES_LINK/i.test(sql);
}

async function until(reached: () => Promise<boolean>): Promise<void> {
  while (!(await reached())) await pause(20);
}

test.before(async () => {
  const observations = Array.from({ length: MANY }, (_, at) => observationOn(`o${at}`, 'Patient/p'));
  await put(client.tenant('acme'), [patientOf('p', 'old')]);
  for (let at = 0; at < MANY; at += 251) await put(client.tenant('acme'), observations.slice(at, at + 251));
  await put(client.tenant('beta'), [patientOf('p', 'old'), observationOn('b', 'Patient/p')]);
  await liftIt();
  await bring();
});

test.serial('copies of an uplift that was taken back are deleted in every partition', async (t) => {
  t.true(await isLifted());
  const [acme = 0, beta = 0] = await indexRows();
  await lift(client, PARAMETER, []);
  t.deepEqual(await indexRows(), [acme, beta]);
  t.is((await found('acme', 'old')).length, MANY);
  settle();
  await until(async () => (await indexRows())[1] === beta - 1);
  t.deepEqual(await indexRows(), [acme - MANY, beta - 1]);
  t.is((await found('acme', 'old')).length, MANY);
  t.deepEqual(await found('beta', 'old'), ['b']);
});

test.serial(
  'what comes back follows references until it is reindexed, and then has what changed',
  async (t) => {
    await put(client.tenant('acme'), [patientOf('q', 'late'), observationOn('o1', 'Patient/q')]);
    await put(client.tenant('beta'), [patientOf('p', 'new')]);
    await liftIt();
    t.false(await isLifted());
    t.is((await found('acme', 'old')).length, MANY - 1);
    t.deepEqual(await found('beta', 'new'), ['b']);
    await bring();
    t.true(await isLifted());
    t.is((await found('acme', 'old')).length, MANY - 1);
    t.deepEqual(await found('acme', 'late'), ['o1']);
    t.deepEqual([await found('beta', 'new'), await found('beta', 'old')], [['b'], []]);
  },
);

test.serial(
  'what comes back before its copies have gone is never short, and keeps what it needs',
  async (t) => {
    const before = await indexRows();
    await lift(client, PARAMETER, []);
    await put(client.tenant('beta'), [
      patientOf('p', 'newest'),
      patientOf('r', 'other'),
      observationOn('c', 'Patient/r'),
    ]);
    await liftIt();
    t.false(await isLifted());
    t.deepEqual([await found('beta', 'newest'), await found('beta', 'new')], [['b'], []]);
    await bring();
    t.true(await isLifted());
    t.deepEqual([await found('beta', 'newest'), await found('beta', 'new')], [['b'], []]);
    t.deepEqual(await found('beta', 'other'), ['c']);
    t.is((await found('acme', 'old')).length, MANY - 1);
    t.is((await indexRows())[0], before[0]);
  },
);
