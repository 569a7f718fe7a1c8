import test from 'ava';
import type { Bundle, FhirResource } from 'fhir/r4.js';
import { load } from '../../oracle/search-world.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { matchesOf, namesOf, pagesOf } from './pages.js';

/** More resources than the links of are tried one by one. */
const MANY = 60;
const FEW = 3;

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const root = new FhirClient(server.url);
const acme = root.tenant('acme');

const family = (number: number): string => (number < FEW ? 'Few' : 'Many');

/** Every third patient has a raised pressure, every other one lives in the town. */
function recordOf(number: number): readonly FhirResource[] {
  const id = String(number).padStart(3, '0');
  const patient: FhirResource = {
    resourceType: 'Patient',
    id,
    name: [{ family: family(number) }],
    gender: number % 2 === 0 ? 'female' : 'male',
  };
  const observation: FhirResource = {
    resourceType: 'Observation',
    id,
    status: number < FEW ? 'preliminary' : 'final',
    code: { coding: [{ system: 'urn:codes', code: number % 3 === 0 ? 'raised' : 'usual' }] },
    subject: { reference: `Patient/${id}` },
  };
  return [patient, observation];
}

await load(acme, Array.from({ length: FEW + MANY }, (_, number) => recordOf(number)).flat());
await load(root.tenant('beta'), Array.from({ length: 2 }, (_, number) => recordOf(number)).flat());
test.after.always(() => server.stop());

async function namesAt(client: FhirClient, query: string): Promise<readonly string[]> {
  return namesOf(matchesOf(await pagesOf(client, query)));
}

const numbers = Array.from({ length: FEW + MANY }, (_, number) => number);
const isRaised = (number: number): boolean => number % 3 === 0;
const isFemale = (number: number): boolean => number % 2 === 0;

const SEARCHES: readonly [query: string, holds: (number: number) => boolean][] = [
  ['Patient?family=$F&_has:Observation:subject:code=urn:codes|raised', isRaised],
  ['Patient?family=$F&_has:Observation:subject:code:not=urn:codes|raised', (number) => !isRaised(number)],
  ['Observation?status=$S&_filter=not (subject.gender eq female)', (number) => !isFemale(number)],
  ['Patient?family=$F&_has:Observation:subject:subject.gender=female', isFemale],
  ['Observation?status=$S&subject:Patient.gender=female', isFemale],
  ['Observation?status=$S&subject:Patient.gender:not=female', (number) => !isFemale(number)],
  ['Observation?status=$S&subject:Patient._has:Observation:subject:code=urn:codes|raised', isRaised],
];

for (const [search, holds] of SEARCHES)
  for (const name of ['Few', 'Many'])
    test(`${search.replaceAll('$F', name)}: ${name}: whatever links lead to is the same, tried or collected`, async (t) => {
      const status = name === 'Few' ? 'preliminary' : 'final';
      const query = search.replaceAll('$F', name).replaceAll('$S', status);
      const expected = numbers.filter((number) => family(number) === name && holds(number));
      const names = await namesAt(acme, `${query}&_count=100`);
      const found = names.map((one) => Number(one.split('/')[1])).toSorted((a, b) => a - b);
      t.deepEqual(found, expected);
      t.true(expected.length > 0);
      const { body } = await acme.get<Bundle>(`${query}&_summary=count`);
      t.is(body.total, expected.length);
    });

test('one by one, too, nothing of a neighbour is looked at', async (t) => {
  const beta = root.tenant('beta');
  t.deepEqual(await namesAt(beta, 'Patient?family=Few&_has:Observation:subject:code=urn:codes|raised'), [
    'Patient/000',
  ]);
  t.deepEqual(await namesAt(beta, 'Patient?_id=001&_has:Observation:subject:code=urn:codes|raised'), []);
});
