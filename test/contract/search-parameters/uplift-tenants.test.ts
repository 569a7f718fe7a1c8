import test from 'ava';
import type { Bundle, FhirResource, Patient } from 'fhir/r4.js';
import { defineInterceptor } from '../../../src/index.js';
import { createReindexServer, reindexed } from '../reindex/fixtures.js';
import type { FhirClient } from '../support/fhir-client.js';
import { observationOn } from '../support/observations.js';
import { allIds } from '../placement/fixtures.js';
import { matchesOf } from './fixtures.js';
import { answersOf, explainOf, lift, upliftChain } from './uplift-fixtures.js';
import { put } from './uplift-world.js';

const SYSTEM = 'urn:tenants';

/** `all` reads every partition. */
const tenants = defineInterceptor({
  name: 'tenants',
  hooks: {
    STORAGE_PARTITION_IDENTIFY_CREATE: ({ request }) => ({
      by: 'name',
      names: [request.urlTenant ?? 'DEFAULT'],
    }),
    STORAGE_PARTITION_IDENTIFY_READ: ({ request: { urlTenant = 'DEFAULT' } }) =>
      urlTenant === 'both' ? { by: 'name', names: ['acme', 'beta'] } : { by: 'name', names: [urlTenant] },
  },
});

const { server, client, settle } = await createReindexServer({
  contents: 'search-parameters',
  interceptors: [tenants],
  partitions: ['acme', 'beta', 'both', 'busy'],
  // References into other partitions need one database.
  settings: { partitioning: ['interceptors'], references: 'any', placement: 'shared' },
});
const [acme, beta, both] = ['acme', 'beta', 'both'].map((name) => client.tenant(name)) as [
  FhirClient,
  FhirClient,
  FhirClient,
];
test.after.always(() => server.stop());

test.before(async () => {
  await lift(client, 'clinical-patient', [
    upliftChain('identifier', 'patient-identifier'),
    upliftChain('name', 'patient-name'),
  ]);
  settle();
  await reindexed(client, 'Patient/$reindex');
});

function patientOf(id: string, value: string): FhirResource {
  return { resourceType: 'Patient', id, identifier: [{ system: SYSTEM, value }], name: [{ family: value }] };
}

async function found(tenant: FhirClient, value: string): Promise<readonly (string | undefined)[]> {
  return matchesOf(await tenant.get<Bundle>(`Observation?patient.identifier=${SYSTEM}|${value}`)).toSorted();
}

test.serial('what a tenant refers to elsewhere is neither copied nor found', async (t) => {
  await put(beta, [patientOf('elsewhere', 'foreign')]);
  await put(acme, [observationOn('foreign', 'Patient/elsewhere')]);
  t.deepEqual(await found(acme, 'foreign'), []);
  await put(beta, [patientOf('elsewhere', 'changed')]);
  t.deepEqual(await found(acme, 'changed'), []);
  t.deepEqual(await found(beta, 'changed'), []);
});

test.serial('who sees both partitions follows references from one to the other', async (t) => {
  await put(beta, [patientOf('shared', 'across')]);
  await put(acme, [observationOn('across', 'Patient/shared')]);
  t.deepEqual(await found(both, 'across'), ['across']);
  const { plan } = await explainOf(client, 'both', `Observation?patient.identifier=${SYSTEM}|across`);
  t.notRegex(plan, /uplift:/);
});

test.serial('equal ids and identifiers of two tenants stay apart', async (t) => {
  for (const tenant of [acme, beta])
    await put(tenant, [patientOf('same', 'same'), observationOn('same', 'Patient/same')]);
  await put(acme, [patientOf('same', 'other')]);
  t.deepEqual([await found(acme, 'same'), await found(acme, 'other')], [[], ['same']]);
  t.deepEqual([await found(beta, 'same'), await found(beta, 'other')], [['same'], []]);
});

test.serial('copies are right when targets and their referrers are written at once', async (t) => {
  const busy = client.tenant('busy');
  const ids = Array.from({ length: 6 }, (_, at) => `b${at}`);
  await put(
    busy,
    ids.map((id) => patientOf(id, 'v0')),
  );
  const work = Array.from({ length: 60 }, async (_, at) => {
    const id = ids[at % ids.length] ?? '';
    if (at % 3 > 0) return busy.put(`Observation/${at}`, observationOn(String(at), `Patient/${id}`));
    // An update that meets another one is 409 or 412 at most, and changes nothing.
    return busy.put(`Patient/${id}`, patientOf(id, `v${at % 5}`));
  });
  await Promise.all(work);
  const searches = Array.from({ length: 5 }, (_, at) => `Observation?patient.identifier=${SYSTEM}|v${at}`);
  const lifted = await answersOf(busy, searches);
  for (const search of searches) {
    const value = search.slice(search.indexOf('|') + 1);
    const patients = await busy.get<Bundle<Patient>>(`Patient?identifier=${SYSTEM}|${value}`);
    const subjects = matchesOf(patients).map((id) => `Patient/${id}`);
    const byReference =
      subjects.length === 0 ? [] : await allIds(busy, `Observation?patient=${subjects.join(',')}`);
    t.deepEqual(lifted[search], byReference.toSorted(), search);
  }
});

test.serial('pages go on in one order, whichever way they are found', async (t) => {
  const observations = Array.from({ length: 9 }, (_, at) => ({
    ...observationOn(`page${at}`, 'Patient/paged'),
    code: { coding: [{ system: `urn:code:${at % 3}`, code: 'paged' }] },
  }));
  await put(acme, [patientOf('paged', 'Paged')]);
  await put(acme, observations);
  const first = await acme.get<Bundle>('Observation?patient.name=paged&code=paged&_count=4');
  const next = first.body.link?.find(({ relation }) => relation === 'next')?.url ?? '';
  await lift(client, 'clinical-patient', [upliftChain('identifier', 'other-identifier')]);
  const rest = await allIds(acme, next);
  t.deepEqual(
    [...matchesOf(first), ...rest].toSorted(),
    observations.map(({ id }) => id),
  );
});
