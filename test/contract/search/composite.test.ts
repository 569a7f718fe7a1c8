import test from 'ava';
import type { FhirResource, Observation } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { matchesOf, type Bundle } from './pages.js';
import { UCUM_SYSTEM } from '../../../src/fhir/ucum.js';

const server = await createTestServer({ partitions: ['acme', 'other'] });
const acme = new FhirClient(server.url).tenant('acme');
test.after.always(() => server.stop());

const LOINC = 'http://loinc.org';
const concept = (code: string, system = LOINC) => ({ coding: [{ system, code }] });
const quantity = (value: number, unit: string) => ({ value, unit, system: UCUM_SYSTEM, code: unit });

function observation(id: string, code: string, rest: Partial<Observation>): Observation {
  return { resourceType: 'Observation', id, status: 'final', code: concept(code), ...rest };
}

const STORED: readonly FhirResource[] = [
  observation('sodium', 'Na', { valueQuantity: quantity(140, 'mmol/L') }),
  observation('sodium-high', 'Na', { valueQuantity: quantity(0.15, 'mol/L') }),
  observation('glucose', 'Glu', { valueQuantity: quantity(140, 'mmol/L') }),
  observation('words', 'note', { valueString: 'Feels $5 better' }),
  observation('born', 'birth', { valueDateTime: '2020-05-17' }),
  observation('period', 'birth', { valuePeriod: { start: '2019-01', end: '2019-02' } }),
  observation('positive', 'test', { valueCodeableConcept: concept('pos', 'urn:results') }),
  observation('none', 'test', {}),
  {
    resourceType: 'MolecularSequence',
    id: 'window',
    coordinateSystem: 0,
    referenceSeq: {
      referenceSeqId: concept('NC_1', 'urn:seq'),
      chromosome: concept('7', 'urn:chromosomes'),
      windowStart: 100,
      windowEnd: 200,
    },
  },
];

test.before(async () => {
  for (const resource of STORED) {
    const { status, text } = await acme.put(`${resource.resourceType}/${resource.id}`, resource);
    if (status !== 201) throw new Error(text);
  }
});

/** Ids, sorted. */
async function found(query: string, client = acme): Promise<string[]> {
  const { status, body, text } = await client.get<Bundle>(query);
  if (status !== 200) throw new Error(`${query}: ${text}`);
  return matchesOf([body])
    .map(({ id }) => id ?? '')
    .toSorted();
}

test('both components hold for the resource', async (t) => {
  t.deepEqual(await found('Observation?code-value-quantity=Na$140'), ['sodium']);
  t.deepEqual(await found(`Observation?code-value-quantity=${LOINC}|Na$gt100|${UCUM_SYSTEM}|mmol/L`), [
    'sodium',
    'sodium-high',
  ]);
  t.deepEqual(await found('Observation?code-value-concept=test$urn:results|pos'), ['positive']);
  t.deepEqual(await found('Observation?code-value-concept=note$pos'), []);
});

test('values with prefixes are compared within a component', async (t) => {
  t.deepEqual(await found('Observation?code-value-date=birth$ge2020'), ['born']);
  t.deepEqual(await found('Observation?code-value-date=birth$lt2020'), ['period']);
  t.deepEqual(await found(`Observation?code-value-quantity=Na$lt145|${UCUM_SYSTEM}|mmol/L`), ['sodium']);
});

test('an escaped dollar is part of a value', async (t) => {
  t.deepEqual(await found(String.raw`Observation?code-value-string=note$feels \$5`), ['words']);
  assertError(t, await acme.get('Observation?code-value-string=note$feels $5'), 400, 'INVALID_SEARCH');
});

test('several values are alternatives, each as a whole', async (t) => {
  t.deepEqual(await found('Observation?code-value-quantity=Na$140,Glu$140'), ['glucose', 'sodium']);
  t.deepEqual(await found('Observation?code-value-quantity=Na$1,Glu$2'), []);
});

test('three components are written one after another', async (t) => {
  const window = 'MolecularSequence?chromosome-window-coordinate';
  t.deepEqual(await found(`${window}=7$100$200`), ['window']);
  t.deepEqual(await found(`${window}=7$ge50$lt150`), []);
  t.deepEqual(await found('MolecularSequence?referenceseqid-window-coordinate=NC_1$gt99$lt201'), ['window']);
});

test('a composite is missing where a component is', async (t) => {
  const codes = 'Observation?code=test&code-value-concept:missing';
  t.deepEqual(await found(`${codes}=true`), ['none']);
  t.deepEqual(await found(`${codes}=false`), ['positive']);
});

test('another number of values is refused, and told how to write them', async (t) => {
  for (const value of ['Na', 'Na$1$2', '$']) {
    const { status, text } = await acme.get(`Observation?code-value-quantity=${value}`);
    t.is(status, 400, text);
    if (value !== '$') t.regex(text, /code \(token\)\$value-quantity \(quantity\)/);
  }
});

test('nothing is sorted by a composite', async (t) => {
  const { status, text } = await acme.get('Observation?_sort=code-value-quantity');
  t.is(status, 400);
  t.regex(text, /nothing is sorted by/);
});

test('another tenant finds nothing of it', async (t) => {
  const other = new FhirClient(server.url).tenant('other');
  t.deepEqual(await found('Observation?code-value-quantity=Na$140', other), []);
});
