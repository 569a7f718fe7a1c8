import test from 'ava';
import type { FhirResource, Observation } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { matchesOf, type Bundle } from './pages.js';
import { UCUM_SYSTEM } from '../../../src/fhir/ucum.js';

const server = await createTestServer({ partitions: ['acme', 'other'], settings: { maxSearchValues: 200 } });
const acme = new FhirClient(server.url).tenant('acme');
test.after.always(() => server.stop());

const LOINC = 'http://loinc.org';
const concept = (code: string, system = LOINC) => ({ coding: [{ system, code }] });
const quantity = (value: number, unit: string) => ({ value, unit, system: UCUM_SYSTEM, code: unit });

function observation(id: string, code: string, rest: Partial<Observation>): Observation {
  return { resourceType: 'Observation', id, status: 'final', code: concept(code), ...rest };
}

const component = (code: string, value: object) => ({ code: concept(code), ...value });
const pressure = (
  id: string,
  systolic: number,
  diastolic: number,
  rest: Partial<Observation> = {},
): Observation =>
  observation(id, 'BP', {
    component: [
      component('sys', { valueQuantity: quantity(systolic, 'mm[Hg]') }),
      component('dia', { valueQuantity: quantity(diastolic, 'mm[Hg]') }),
    ],
    ...rest,
  });

const STORED: readonly FhirResource[] = [
  {
    resourceType: 'DocumentReference',
    id: 'first',
    status: 'superseded',
    content: [{ attachment: { url: 'urn:x' } }],
  },
  observation('sodium', 'Na', { valueQuantity: quantity(140, 'mmol/L') }),
  observation('sodium-high', 'Na', { valueQuantity: quantity(0.15, 'mol/L') }),
  observation('glucose', 'Glu', { valueQuantity: quantity(140, 'mmol/L') }),
  observation('words', 'note', { valueString: 'Feels $5 better' }),
  observation('born', 'birth', { valueDateTime: '2020-05-17' }),
  observation('period', 'birth', { valuePeriod: { start: '2019-01', end: '2019-02' } }),
  observation('positive', 'test', { valueCodeableConcept: concept('pos', 'urn:results') }),
  observation('none', 'test', {}),
  pressure('normal', 120, 80),
  pressure('wide', 160, 70),
  pressure('both', 110, 90, { valueQuantity: quantity(120, 'mm[Hg]') }),
  observation('answers', 'survey', {
    component: [
      component('q1', { valueCodeableConcept: concept('yes', 'urn:answers') }),
      component('q2', { valueCodeableConcept: concept('no', 'urn:answers') }),
      component('q3', {}),
    ],
  }),
  {
    resourceType: 'Group',
    id: 'group',
    type: 'person',
    actual: false,
    characteristic: [
      { code: concept('gender', 'urn:traits'), valueCodeableConcept: concept('female'), exclude: false },
      { code: concept('smoker', 'urn:traits'), valueBoolean: true, exclude: false },
    ],
  },
  {
    resourceType: 'Measure',
    id: 'adults',
    status: 'draft',
    useContext: [
      { code: { code: 'age' }, valueRange: { low: quantity(18, 'a'), high: quantity(65, 'a') } },
      { code: { code: 'weight' }, valueQuantity: quantity(70, 'kg') },
      { code: { code: 'gender' }, valueCodeableConcept: concept('male') },
    ],
  },
  {
    resourceType: 'DocumentReference',
    id: 'second',
    status: 'current',
    content: [{ attachment: { url: 'urn:x' } }],
    relatesTo: [
      { code: 'replaces', target: { reference: 'DocumentReference/first' } },
      { code: 'appends', target: { reference: 'https://elsewhere.example/fhir/DocumentReference/3' } },
    ],
  },
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
    variant: [
      { start: 10, end: 20 },
      { start: 30, end: 40 },
    ],
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

/** Alternatives that nothing has. */
function unusedValues(count: number): string {
  return Array.from({ length: count }, (_, n) => `sys$gt${1000 + n}`).join();
}

test('as many alternatives as the limit allows are asked at once, each part counts', async (t) => {
  t.deepEqual(await found(`Observation?combo-code-value-quantity=${unusedValues(99)},sys$120`), ['normal']);
  const { text, status } = await acme.get(`Observation?combo-code-value-quantity=${unusedValues(101)}`);
  t.is(status, 400);
  t.regex(text, /LIMIT_EXCEEDED/);
});

test('three components are written one after another', async (t) => {
  const window = 'MolecularSequence?chromosome-window-coordinate';
  t.deepEqual(await found(`${window}=7$100$200`), ['window']);
  t.deepEqual(await found(`${window}=7$ge50$lt150`), []);
  t.deepEqual(await found('MolecularSequence?referenceseqid-window-coordinate=NC_1$gt99$lt201'), ['window']);
});

test('components of an element that repeats hold for the same one', async (t) => {
  const codes = 'Observation?component-code-value-quantity';
  t.deepEqual(await found(`${codes}=sys$120`), ['normal']);
  t.deepEqual(await found(`${codes}=dia$120`), []);
  t.deepEqual(await found(`${codes}=sys$gt115`), ['normal', 'wide']);
  t.deepEqual(await found(`${codes}=${LOINC}|dia$lt75|${UCUM_SYSTEM}|mm[Hg]`), ['wide']);
  const answers = 'Observation?component-code-value-concept';
  t.deepEqual(await found(`${answers}=q1$yes`), ['answers']);
  t.deepEqual(await found(`${answers}=q1$no,q2$yes`), []);
  t.deepEqual(await found(`${answers}=q1$no,q2$urn:answers|no`), ['answers']);
});

test('other units of the same dimension are found within an element', async (t) => {
  const query = `Observation?component-code-value-quantity=sys$gt15|${UCUM_SYSTEM}|kPa`;
  t.deepEqual(await found(query), ['normal', 'wide']);
});

test('a combination is found in the resource itself and in its elements', async (t) => {
  t.deepEqual(await found('Observation?combo-code-value-quantity=BP$120'), ['both']);
  t.deepEqual(await found('Observation?combo-code-value-quantity=sys$120,BP$120'), ['both', 'normal']);
  t.deepEqual(await found('Observation?combo-code-value-concept=q1$yes,test$pos'), ['answers', 'positive']);
});

test('two conditions may hold for different elements', async (t) => {
  const one = 'component-code-value-quantity';
  t.deepEqual(await found(`Observation?${one}=sys$120&${one}=dia$80`), ['normal']);
  t.deepEqual(await found(`Observation?${one}=sys$ge120&${one}=dia$le70&code=BP`), ['wide']);
  t.deepEqual(await found(`Observation?${one}=sys$ge120&_id=wide,both`), ['wide']);
});

test('characteristics and use contexts are found by what they are and what they have', async (t) => {
  t.deepEqual(await found('Group?characteristic-value=gender$female'), ['group']);
  t.deepEqual(await found('Group?characteristic-value=smoker$true'), ['group']);
  t.deepEqual(await found('Group?characteristic-value=smoker$female'), []);
  t.deepEqual(await found('Measure?context-type-value=gender$male'), ['adults']);
  t.deepEqual(await found(`Measure?context-type-quantity=age$gt60|${UCUM_SYSTEM}|a`), ['adults']);
  t.deepEqual(await found(`Measure?context-type-quantity=weight$gt100|${UCUM_SYSTEM}|kg`), []);
  t.deepEqual(await found(`Measure?context-type-quantity=weight$70000|${UCUM_SYSTEM}|g`), ['adults']);
});

test('a relationship is written as code and target', async (t) => {
  const query = 'DocumentReference?relationship';
  t.deepEqual(await found(`${query}=replaces$DocumentReference/first`), ['second']);
  t.deepEqual(await found(`${query}=replaces$first`), ['second']);
  t.deepEqual(await found(`${query}=appends$DocumentReference/first`), []);
  t.deepEqual(await found(`${query}=appends$https://elsewhere.example/fhir/DocumentReference/3`), ['second']);
});

test('a component outside of the element holds for the resource', async (t) => {
  const variant = 'MolecularSequence?chromosome-variant-coordinate';
  t.deepEqual(await found(`${variant}=7$10$20`), ['window']);
  t.deepEqual(await found(`${variant}=7$10$40`), []);
  t.deepEqual(await found(`${variant}=8$10$20`), []);
  t.deepEqual(await found('MolecularSequence?referenceseqid-variant-coordinate=NC_1$ge25$le40'), ['window']);
});

test('a composite of elements is missing where no element has all of it', async (t) => {
  const all = 'Observation?code=BP,survey,note&component-code-value-quantity:missing';
  t.deepEqual(await found(`${all}=true`), ['answers', 'words']);
  t.deepEqual(await found(`${all}=false`), ['both', 'normal', 'wide']);
});

test('composites end chains, and are asked backwards', async (t) => {
  const observed = observation('observed', 'chain', {
    subject: { reference: 'Patient/chained' },
    component: [component('link', { valueQuantity: quantity(200, 'mm[Hg]') })],
  });
  await acme.put('Patient/chained', { resourceType: 'Patient', id: 'chained' });
  await acme.put('Observation/observed', observed);
  const report = { resourceType: 'DiagnosticReport', id: 'report', status: 'final', code: concept('x') };
  await acme.put('DiagnosticReport/report', { ...report, result: [{ reference: 'Observation/observed' }] });
  const asked = 'component-code-value-quantity=link$200';
  t.deepEqual(await found(`DiagnosticReport?result.${asked}`), ['report']);
  t.deepEqual(await found(`Patient?_has:Observation:patient:${asked}`), ['chained']);
});

const pulses = (value: number) => found(`Observation?component-code-value-quantity=pulse$${value}`);

test('an update replaces what its elements have, and a delete takes it away', async (t) => {
  const first = component('pulse', { valueQuantity: quantity(60, '/min') });
  const second = component('pulse', { valueQuantity: quantity(61, '/min') });
  await acme.put('Observation/pulse', observation('pulse', 'p', { component: [first, second] }));
  t.deepEqual([await pulses(60), await pulses(61)], [['pulse'], ['pulse']]);
  await acme.put('Observation/pulse', observation('pulse', 'p', { component: [second] }));
  t.deepEqual([await pulses(60), await pulses(61)], [[], ['pulse']]);
  await acme.send('DELETE', 'Observation/pulse');
  t.deepEqual(await pulses(61), []);
});

test('composites are asked of several types at once', async (t) => {
  const item = {
    resourceType: 'ChargeItemDefinition',
    id: 'item',
    url: 'http://example.org/item',
    status: 'draft',
    useContext: [{ code: { code: 'gender' }, valueCodeableConcept: concept('other') }],
  };
  await acme.put('ChargeItemDefinition/item', item);
  const types = '?_type=ChargeItemDefinition,Measure&context-type-value';
  t.deepEqual(await found(`${types}=gender$other`), ['item']);
  t.deepEqual(await found(`${types}=gender$other,gender$male`), ['adults', 'item']);
  t.deepEqual(await found(`${types}=gender$female`), []);
});

test('a filter asks for composites too', async (t) => {
  const filter = encodeURIComponent('component-code-value-quantity eq "sys$120" and code eq BP');
  t.deepEqual(await found(`Observation?_filter=${filter}`), ['normal']);
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
  t.deepEqual(await found('Observation?component-code-value-quantity=sys$120', other), []);
});
