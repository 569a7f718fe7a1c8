import test from 'ava';
import type { Bundle, FhirResource, Medication } from 'fhir/r4.js';
import { load } from '../../oracle/search-world.js';
import { as, openAccessWorld } from './fixtures.js';

const { server, acme } = await openAccessWorld();
const MEDICATION: Medication = {
  resourceType: 'Medication',
  id: 'm',
  code: { coding: [{ code: 'contained' }] },
};

const requestOf = (id: string): FhirResource => ({
  resourceType: 'MedicationRequest',
  id: `of-${id}`,
  contained: [MEDICATION],
  status: 'active',
  intent: 'order',
  medicationReference: { reference: '#m' },
  subject: { reference: `Patient/${id}` },
});

await load(acme, [
  requestOf('p1'),
  requestOf('p2'),
  {
    resourceType: 'List',
    id: 'holds-a-medication',
    contained: [MEDICATION],
    status: 'current',
    mode: 'working',
    entry: [{ item: { reference: '#m' } }],
  },
]);

test.after.always(() => server.stop());

const QUERIES = [
  'Medication?code=contained&_contained=true',
  'Medication?_contained=true',
  'Medication?code=contained&_contained=both',
];

async function containersIn(scopes: string, query: string, claims = {}): Promise<readonly string[]> {
  const { body } = await as(acme, scopes, claims).get<Bundle>(query);
  return (body.entry ?? [])
    .filter(({ search }) => search?.mode === 'match')
    .map(({ fullUrl = '' }) => fullUrl.replace(`${acme.base}/`, ''))
    .toSorted();
}

for (const query of QUERIES) {
  test(`${query}: what is contained is found in resources that the token opens, and in no others`, async (t) => {
    const all = ['List/holds-a-medication', 'MedicationRequest/of-p1', 'MedicationRequest/of-p2'];
    t.deepEqual(await containersIn('system/*.rs', query), all);
    t.deepEqual(await containersIn('system/Medication.rs system/List.rs', query), all.slice(0, 1));
    t.deepEqual(await containersIn('system/Medication.rs', query), []);
    const own = 'system/Medication.rs patient/MedicationRequest.rs';
    t.deepEqual(await containersIn(own, query, { patient: 'p1' }), ['MedicationRequest/of-p1']);
    const both = `${own} system/List.rs`;
    t.deepEqual(await containersIn(both, query, { patient: 'p1' }), all.slice(0, 2));
  });

  test(`${query}: totals count what the token opens`, async (t) => {
    for (const [scopes, total] of [
      ['system/*.rs', 3],
      ['system/Medication.rs system/List.rs', 1],
      ['system/Medication.rs', 0],
    ] as const) {
      const counted = `${query}&_summary=count`;
      t.is((await as(acme, scopes).get<Bundle>(counted)).body.total, total, scopes);
      const accurate = `${query}&_total=accurate&_containedType=contained`;
      t.is((await as(acme, scopes).get<Bundle>(accurate)).body.total, total, scopes);
    }
  });
}

test('a chain into what is contained finds resources that the token opens', async (t) => {
  const chain = 'MedicationRequest?medication:Medication.code=contained';
  t.deepEqual(await containersIn('system/MedicationRequest.rs system/Medication.rs', chain), [
    'MedicationRequest/of-p1',
    'MedicationRequest/of-p2',
  ]);
  const own = 'patient/MedicationRequest.rs system/Medication.rs';
  t.deepEqual(await containersIn(own, chain, { patient: 'p1' }), ['MedicationRequest/of-p1']);
});
