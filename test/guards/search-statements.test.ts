import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import test from 'ava';
import { SQL_STATEMENTS } from '../../src/storage/sql/sql-statements.js';
import { FhirClient } from '../contract/support/fhir-client.js';
import { createTestServer } from '../support/test-server.js';

let count = 0;
/** Databases tell their statements only to those who listen when they are opened. */
function listen(text: unknown): void {
  if (/^\s*(with|select)\b[^]*HFJ_(RESOURCE|RES_LINK|SPIDX)/i.test(String(text))) count++;
}
subscribe(SQL_STATEMENTS.name, listen);

const server = await createTestServer({ partitions: ['acme'] });
const acme = new FhirClient(server.url).tenant('acme');
test.after.always(async () => {
  unsubscribe(SQL_STATEMENTS.name, listen);
  await server.stop();
});

test.before(async () => {
  const subject = { reference: 'Patient/p' };
  const partOf = { reference: 'Organization/top' };
  const resources: readonly (Readonly<Record<string, unknown>> & { readonly resourceType: string })[] = [
    { resourceType: 'Organization', id: 'top' },
    { resourceType: 'Organization', id: 'ward', partOf, name: 'x' },
    { resourceType: 'Patient', id: 'p', managingOrganization: { reference: 'Organization/ward' } },
    ...Array.from({ length: 30 }, (_, n) => ({
      resourceType: 'Observation',
      id: `o${n}`,
      status: 'final',
      code: { text: 'x' },
      subject,
    })),
    { resourceType: 'Condition', id: 'c', subject },
    ...Array.from({ length: 7 }, (_, n) => ({
      resourceType: 'MedicationRequest',
      id: `m${n}`,
      status: 'active',
      intent: 'order',
      subject,
      medicationReference: { reference: '#a' },
      contained: ['a', 'b'].map((id) => ({ resourceType: 'Medication', id, status: 'active' })),
    })),
    { resourceType: 'Flag', id: 'f', subject, status: 'active', code: { text: 'x' } },
  ];
  for (const resource of resources) {
    const { status, text } = await acme.put(`${resource.resourceType}/${String(resource['id'])}`, resource);
    if (status !== 201) throw new Error(text);
  }
});

/** How many statements on resources or their index a request runs. */
async function statementsOf(path: string): Promise<number> {
  count = 0;
  const { status, text } = await acme.get(path);
  if (status !== 200) throw new Error(text);
  return count;
}

/** The page, and its count where the page is full. */
const SEARCHES: readonly [path: string, most: number][] = [
  ['Observation?subject=Patient/p&_count=5', 2],
  ['Observation?subject.organization.name=x&_count=5', 2],
  ['Observation?_count=5&_total=accurate', 2],
  ['Observation?_count=5&_total=none', 1],
  ['Observation?_sort=date,code,-value-quantity&_count=5', 2],
  ['Patient?_has:Observation:patient:status=final', 2],
  [`${acme.base}?_count=5`, 2],
  [`${acme.base}?_sort=-_lastUpdated&_count=5`, 2],
  [`${acme.base}?_type=Observation,Condition,Flag,Encounter,Procedure&patient=p&_count=5`, 2],
  // Three for the hierarchy, however many types ask for it, and the page.
  [
    `${acme.base}?_type=Patient,Person,PractitionerRole,EpisodeOfCare,Endpoint&organization:below=top&_total=none`,
    5,
  ],
  ['MedicationRequest?medication.status=active&_count=5', 2],
  ['Medication?_contained=both&_count=5', 2],
  ['Medication?status=active&_contained=true&_containedType=contained&_count=5', 2],
  // The compartment's own resource is looked up first.
  ['Patient/p/*?_count=5', 3],
  ['Patient/p/Observation?_count=5', 3],
  ['Patient/p/$everything?_count=5', 3],
  ['Observation/$lastn?patient=p', 1],
  // One for each include and round; the circle of organizations has three.
  ['Observation?_count=5&_include=Observation:subject', 3],
  ['Observation?_count=5&_include=Observation:subject&_include:iterate=Patient:organization', 5],
  ['Patient?_include=*&_revinclude=Observation:patient&_revinclude=Condition:patient', 4],
];

for (const [path, most] of SEARCHES) {
  test.serial(`${path.replace(acme.base, '')} takes ${most} statements at most`, async (t) => {
    await statementsOf(path);
    const found = await statementsOf(path);
    t.true(found >= 1 && found <= most, `${found} statements`);
  });
}
