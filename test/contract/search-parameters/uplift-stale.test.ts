import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import type { Bundle, FhirResource } from 'fhir/r4.js';
import { manage, OWN_PLACEMENTS, placementOf } from '../placement/fixtures.js';
import { createReindexServer, reindexed, type ReindexServer } from '../reindex/fixtures.js';
import { dated } from '../support/dated.js';
import { FhirClient } from '../support/fhir-client.js';
import { observationOn } from '../support/observations.js';
import { createTestDatabase } from '../../support/test-database.js';
import { createTestServer, type StoreTestOptions } from '../../support/test-server.js';
import { matchesOf } from './fixtures.js';
import { explainOf, lift, upliftChain } from './uplift-fixtures.js';
import { put } from './uplift-world.js';

const SYSTEM = 'urn:stale';

/** More resources than are given their copies in the transaction that changes what they refer to. */
const MANY = 501;

function patientOf(id: string, value: string, more: object = {}): FhirResource {
  return { resourceType: 'Patient', id, identifier: [{ system: SYSTEM, value }], ...more };
}

function observationsOf(patient: string, count: number): readonly FhirResource[] {
  return Array.from({ length: count }, (_, at) => observationOn(`${patient}-${at}`, `Patient/${patient}`));
}

function search(value: string): string {
  return `Observation?patient.identifier=${SYSTEM}|${value}`;
}

async function total(client: FhirClient, value: string): Promise<number | undefined> {
  return (await client.get<Bundle>(`${search(value)}&_summary=count`)).body.total;
}

/** A server on which chains are lifted. */
async function openLifted(options: StoreTestOptions): Promise<ReindexServer> {
  const opened = await createReindexServer({ contents: 'search-parameters', ...options });
  await lift(opened.client, 'clinical-patient', [upliftChain('identifier', 'patient-identifier')]);
  opened.settle();
  const parameter = 'http://hl7.org/fhir/SearchParameter/clinical-patient';
  await reindexed(opened.client, '$reindex', [{ name: 'parameter', valueString: parameter }]);
  return opened;
}

const { server, client } = await openLifted({
  interceptors: [dated],
  partitions: ['acme', 'beta', 'dated', ...OWN_PLACEMENTS],
  settings: { partitioning: ['interceptors'], placement: 'shared', validation: 'off' },
});
const acme = client.tenant('acme');
test.after.always(() => server.stop());

async function isLifted(tenant: string): Promise<boolean> {
  const { sql } = await explainOf(client, tenant, search('x'));
  return !/HFJ_RES_LINK/i.test(sql);
}

/** Searches that find copies waiting have them renewed. */
async function untilLifted(tenant: string): Promise<void> {
  while (!(await isLifted(tenant))) await pause(50);
}

test.serial('where too many refer, references are followed until all copies are renewed', async (t) => {
  const observations = observationsOf('many', MANY);
  await put(acme, [patientOf('many', 'before'), patientOf('few', 'few')]);
  for (let at = 0; at < MANY; at += 200) await put(acme, observations.slice(at, at + 200));
  await put(client.tenant('beta'), [patientOf('many', 'before'), ...observationsOf('many', 2)]);
  t.is(await total(acme, 'before'), MANY);
  t.true(await isLifted('acme'));
  await put(acme, [patientOf('many', 'after')]);
  t.is(await total(acme, 'before'), 0);
  t.is(await total(acme, 'after'), MANY);
  t.true(await isLifted('beta'));
  t.is(await total(client.tenant('beta'), 'before'), 2);
  await untilLifted('acme');
  t.is(await total(acme, 'before'), 0);
  t.is(await total(acme, 'after'), MANY);
});

test.serial('the limit is one for all that a transaction changes', async (t) => {
  const ids = ['several-a', 'several-b', 'several-c'];
  for (const id of ids) await put(acme, [patientOf(id, 'several-before'), ...observationsOf(id, 200)]);
  t.is(await total(acme, 'several-before'), 600);
  const changed = ids.map((id) => patientOf(id, 'several-after'));
  await put(acme, changed);
  t.is(await total(acme, 'several-before'), 0);
  t.is(await total(acme, 'several-after'), 600);
  await untilLifted('acme');
  t.is(await total(acme, 'several-after'), 600);
});

test.serial(
  'what one server did not copy, others follow references for, also when it has ended',
  async (t) => {
    const database = await createTestDatabase('search-parameters');
    const first = await openLifted({ database });
    const second = await createTestServer({ database });
    t.teardown(async () => {
      await second.stop();
      await database.drop();
    });
    const other = new FhirClient(second.url);
    await put(first.client, [patientOf('many', 'before')]);
    const observations = observationsOf('many', MANY);
    for (let at = 0; at < MANY; at += 200) await put(first.client, observations.slice(at, at + 200));
    t.is(await total(other, 'before'), MANY);
    await put(first.client, [patientOf('many', 'after')]);
    t.is(await total(other, 'before'), 0);
    await first.server.stop();
    t.is(await total(other, 'after'), MANY);
    await put(other, [patientOf('many', 'last')]);
    t.is(await total(other, 'last'), MANY);
    t.is(await total(other, 'after'), 0);
  },
);

for (const placement of OWN_PLACEMENTS) {
  test.serial(
    `${placement}: a partition that moves gives the same answers, and is lifted again`,
    async (t) => {
      const moved = client.tenant(placement);
      const { id } = server.bulkhead.partitions.read({ name: placement });
      await put(moved, [patientOf('p', 'moved'), ...observationsOf('p', 3)]);
      t.is((await manage(client, 'move-partition', { id, to: placement })).status, 200);
      while ((await placementOf(client, placement)) !== placement) {
        t.is(await total(moved, 'moved'), 3);
        await pause(50);
      }
      t.is(await total(moved, 'moved'), 3);
      await untilLifted(placement);
      t.is(await total(moved, 'moved'), 3);
      await put(moved, [patientOf('p', 'later')]);
      t.deepEqual(matchesOf(await moved.get<Bundle>(search('later'))).toSorted(), ['p-0', 'p-1', 'p-2']);
    },
  );
}

test.serial('values of what a retention has deleted are found no more', async (t) => {
  const tenant = client.tenant('dated');
  await put(tenant, [patientOf('old', 'old', { language: 'x-2019-12-31' }), patientOf('new', 'new')]);
  await put(tenant, [...observationsOf('old', 2), ...observationsOf('new', 2)]);
  t.is(await total(tenant, 'old'), 2);
  const { partitions } = server.bulkhead;
  await partitions.retain(partitions.read({ name: 'dated' }).id, '2020-01-01');
  t.is(await total(tenant, 'old'), 0);
  t.is(await total(tenant, 'new'), 2);
  await untilLifted('dated');
  t.is(await total(tenant, 'old'), 0);
  t.is(await total(tenant, 'new'), 2);
});
