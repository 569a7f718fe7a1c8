import test from 'ava';
import type { Encounter } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { observationOn } from '../support/observations.js';
import { matchesOf, namesOf, pagesOf } from './pages.js';

const server = await createTestServer({ partitions: ['acme'] });
const acme = new FhirClient(server.url).tenant('acme');
test.after.always(() => server.stop());

function encounter(id: string, subject: string): Encounter {
  return {
    resourceType: 'Encounter',
    id,
    status: 'finished',
    class: { code: 'AMB' },
    subject: { reference: subject },
  };
}

test.before(async () => {
  await acme.put('Group/g', { resourceType: 'Group', id: 'g', type: 'person', actual: true });
  for (const id of ['first', 'second']) await acme.put(`Patient/${id}`, { resourceType: 'Patient', id });
  for (const one of [
    encounter('e1', 'Group/g'),
    encounter('e2', 'Patient/second'),
    encounter('e3', 'Patient/first'),
    observationOn('o1', 'Group/g'),
    observationOn('o2', 'Patient/first'),
  ])
    await acme.put(`${one.resourceType}/${one.id}`, one);
});

async function found(search: string): Promise<readonly string[]> {
  return namesOf(matchesOf(await pagesOf(acme, `${search}&_count=2`)));
}

test('a parameter that counts references to one type alone sorts by these alone', async (t) => {
  t.deepEqual(await found('Encounter?_sort=patient'), ['Encounter/e3', 'Encounter/e2', 'Encounter/e1']);
  t.deepEqual(await found('Encounter?_sort=-patient'), ['Encounter/e2', 'Encounter/e3', 'Encounter/e1']);
  t.deepEqual(await found('Encounter?_sort=subject'), ['Encounter/e1', 'Encounter/e3', 'Encounter/e2']);
});

test('the same over several types', async (t) => {
  t.deepEqual(await found('?_type=Encounter,Observation&_sort=patient,_id'), [
    'Encounter/e3',
    'Observation/o2',
    'Encounter/e2',
    'Encounter/e1',
    'Observation/o1',
  ]);
});
