import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import type { Bundle, Patient } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { manage, OWN_PLACEMENTS } from '../placement/fixtures.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { createParameter, matchesOf, parameterOf, patientWith } from './fixtures.js';

const server = await createTestServer({
  contents: 'search-parameters',
  settings: { partitionSearchParameters: true },
});
const root = new FhirClient(server.url);
const { parts, partitions } = server.bulkhead;
test.after.always(() => server.stop());

/** A tenant with a parameter of its own and a patient that it finds. */
async function createTenant(name: string, id: number) {
  await partitions.create({ id, name, placement: 'shared' });
  const tenant = root.tenant(name);
  await createParameter(tenant, parameterOf('eye'));
  const { body } = await tenant.post<Patient>('Patient', patientWith('eye', 'blue'));
  return { tenant, patient: body.id };
}

async function purge(id: number): Promise<void> {
  await partitions.startPurge(id);
  while ((await parts.partitions.takenIds()).size > 0 && !(await isGone(id))) await pause(10);
}

async function isGone(id: number): Promise<boolean> {
  const jobs = await parts.partitions.jobs();
  return jobs.some(
    (job) => Number(job.partition) === id && job.kind === 'partition-purge' && job.state === 'done',
  );
}

test('an id that is used again inherits no parameters', async (t) => {
  await createTenant('before', 71);
  await purge(71);
  await partitions.create({ id: 71, name: 'after' });
  const after = root.tenant('after');
  assertError(t, await after.get('Patient?eye=blue'), 400, 'UNKNOWN_SEARCH_PARAMETER');
  t.deepEqual(matchesOf(await after.get<Bundle>('SearchParameter?code=eye')), []);
  t.is(await parts.partitionParameters.own(71 as never), undefined);
  await createParameter(after, parameterOf('eye'));
  const { body } = await after.post<Patient>('Patient', patientWith('eye', 'blue'));
  t.deepEqual(matchesOf(await after.get<Bundle>('Patient?eye=blue')), [body.id]);
});

for (const [at, placement] of OWN_PLACEMENTS.entries()) {
  test(`parameters move with their partition to a ${placement}, and back`, async (t) => {
    const id = 81 + at;
    const { tenant, patient } = await createTenant(`moving-${placement}`, id);
    const found = [patient];
    for (const to of [placement, 'shared'] as const) {
      t.is((await manage(root, 'move-partition', { id, to })).status, 200);
      while (
        (await parts.partitions.jobs()).some(
          ({ partition, state }) => Number(partition) === id && state === 'running',
        )
      )
        await pause(20);
      t.is(partitions.read({ id }).placement ?? 'shared', to);
      const { body } = await tenant.post<Patient>('Patient', patientWith('eye', 'blue'));
      found.push(body.id);
      t.deepEqual(matchesOf(await tenant.get<Bundle>('Patient?eye=blue')).toSorted(), found.toSorted());
      t.is(matchesOf(await tenant.get<Bundle>('SearchParameter?code=eye')).length, 1);
    }
  });

  test(`a partition that is placed in a ${placement} holds its own`, async (t) => {
    const name = `placed-${placement}`;
    await partitions.create({ name, placement });
    const tenant = root.tenant(name);
    const { id } = await createParameter(tenant, parameterOf('ear'));
    const { body } = await tenant.post<Patient>('Patient', patientWith('ear', 'left'));
    t.deepEqual(matchesOf(await tenant.get<Bundle>('Patient?ear=left')), [body.id]);
    t.is((await tenant.get(`SearchParameter/${id}`)).status, 200);
    t.is((await tenant.get('SearchParameter/Patient-link')).status, 200);
    t.true(matchesOf(await tenant.get<Bundle>('SearchParameter?base=Patient&_count=100')).includes(id));
  });
}
