import test from 'ava';
import type { Observation, Parameters } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { linkOf, matchesOf, namesOf, type Bundle } from '../search/pages.js';

const server = await createTestServer({
  partitions: ['acme', 'beta'],
  clock: () => Date.parse('2024-01-11T00:00:00Z'),
});
const client = new FhirClient(server.url);
const acme = client.tenant('acme');
test.after.always(() => server.stop());

const UCUM = 'http://unitsofmeasure.org';
const weight = (id: string, day: number, value: number, code = 'kg'): object => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  category: [{ coding: [{ code: 'vital-signs' }] }],
  code: { coding: [{ system: 'urn:c', code: 'weight' }] },
  subject: { reference: 'Patient/p1' },
  effectiveDateTime: `2024-01-0${day}`,
  valueQuantity: { value, unit: code, system: UCUM, code },
});
const coded = (id: string, day: number, ...codes: readonly string[]): object => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { coding: codes.map((code) => ({ system: 'urn:c', code })) },
  subject: { reference: 'Patient/p1' },
  effectiveDateTime: `2024-01-0${day}`,
});

test.before(async () => {
  for (const tenant of [acme, client.tenant('beta')]) {
    const resources = [
      { resourceType: 'Patient', id: 'p1' },
      { resourceType: 'Patient', id: 'p2' },
      weight('w1', 1, tenant === acme ? 70 : 700),
      weight('w2', 2, 80),
      weight('w3', 3, 90_000, 'g'),
      { ...weight('bad', 4, 1), status: 'entered-in-error' },
      { ...coded('empty', 5, 'weight') },
      coded('a', 1, 'pulse'),
      coded('b', 6, 'rate', 'pulse'),
      coded('c', 7, 'rate'),
      { ...coded('t1', 1), code: { text: 'Mood' } },
      { ...coded('t2', 8), code: { text: 'mood' } },
      { ...coded('foreign', 9, 'pulse'), subject: { reference: 'Patient/p2' } },
    ];
    for (const resource of resources) {
      const { resourceType, id } = resource as { resourceType: string; id: string };
      const { status, text } = await tenant.put(`${resourceType}/${id}`, resource);
      if (status !== 201) throw new Error(text);
    }
  }
});

async function last(query: string): Promise<string[]> {
  const { status, body, text } = await acme.get<Bundle>(`Observation/$lastn?${query}`);
  if (status !== 200) throw new Error(text);
  return namesOf(matchesOf([body])).map((name) => name.replace('Observation/', ''));
}

test('$lastn finds the newest observation of each code, of any coding that they share', async (t) => {
  t.deepEqual(await last('patient=p1'), ['t2', 'c', 'empty']);
  t.deepEqual(await last('subject=Patient/p1&max=2'), ['t2', 't1', 'c', 'b', 'empty', 'bad']);
  t.deepEqual(await last('patient=p1&max=9&category=vital-signs'), ['bad', 'w3', 'w2', 'w1']);
  t.deepEqual(await last('patient=p1&code=urn:c|pulse'), ['b']);
  t.deepEqual(await last('patient=p2'), ['foreign']);
  t.deepEqual(await last('patient=nobody'), []);
});

test('the answer of $lastn tells what was asked, and can be shortened', async (t) => {
  const { body } = await acme.get<Bundle>('Observation/$lastn?patient=p1&max=1&_elements=status');
  t.is(linkOf(body, 'self'), `${acme.base}/Observation/$lastn?patient=p1&max=1&_elements=status`);
  t.is(body.total, 3);
  const [first] = matchesOf([body]) as Observation[];
  t.is(first?.effectiveDateTime, undefined);
  t.is(first?.meta?.tag?.[0]?.code, 'SUBSETTED');
});

test('$lastn with _summary=count answers how many there are, and none of them', async (t) => {
  const { body } = await acme.get<Bundle>('Observation/$lastn?patient=p1&_summary=count');
  t.is(body.total, 3);
  t.is(body.entry, undefined);
});

test('$lastn refuses what it can not do', async (t) => {
  for (const query of [
    'max=1',
    'patient=p1&max=0',
    'patient=p1&max=1&max=2',
    'patient=p1&_count=1',
    'patient:missing=false',
  ]) {
    assertError(t, await acme.get(`Observation/$lastn?${query}`), 400, 'INVALID_REQUEST');
  }
  assertError(t, await acme.get('Observation/$lastn?patient=p1&colour=red'), 400, 'UNKNOWN_SEARCH_PARAMETER');
});

async function statistics(query: string): Promise<Record<string, number | undefined>[]> {
  const { status, body, text } = await acme.get<Parameters>(`Observation/$stats?${query}`);
  if (status !== 200) throw new Error(text);
  return (body.parameter ?? [])
    .filter(({ name }) => name === 'statistics')
    .map(({ resource }) =>
      Object.fromEntries(
        ((resource as Observation).component ?? []).map(({ code, valueQuantity, valueInteger }) => [
          code.coding?.[0]?.code ?? '',
          valueInteger ?? valueQuantity?.value,
        ]),
      ),
    );
}

const WEIGHT = 'subject=Patient/p1&code=weight&system=urn:c';

test('$stats computes what it is asked for, in the unit of the newest value', async (t) => {
  const query = `${WEIGHT}&statistic=average&statistic=maximum&statistic=median&statistic=count&statistic=total-count`;
  t.deepEqual(await statistics(query), [
    { average: 80_000, maximum: 90_000, median: 80_000, count: 3, 'total-count': 4 },
  ]);
  t.deepEqual(await statistics(`${WEIGHT}&statistic=4-lower&statistic=variance&statistic=sum&code=rate`), [
    { '4-lower': 75_000, variance: 66_666_666.6667, sum: 240_000 },
    {},
  ]);
});

test('$stats is about a time, and returns the observations that are asked for', async (t) => {
  t.deepEqual(await statistics(`${WEIGHT}&statistic=count&duration=216`), [{ count: 2 }]);
  const { body } = await acme.post<Parameters>('Observation/$stats', {
    resourceType: 'Parameters',
    parameter: [
      { name: 'subject', valueUri: 'Patient/p1' },
      { name: 'coding', valueCoding: { system: 'urn:c', code: 'weight' } },
      { name: 'period', valuePeriod: { start: '2024-01-01', end: '2024-01-02' } },
      { name: 'statistic', valueCode: 'minimum' },
      { name: 'include', valueBoolean: true },
      { name: 'limit', valuePositiveInt: 1 },
    ],
  });
  const [statistic, source, ...more] = body.parameter ?? [];
  const computed = statistic?.resource as Observation | undefined;
  t.deepEqual(computed?.component?.[0]?.valueQuantity, {
    value: 70,
    unit: 'kg',
    system: UCUM,
    code: 'kg',
  });
  t.is(source?.resource?.id, 'w2');
  t.is(more.length, 0);
});

test('$stats of nothing has no empty list of components', async (t) => {
  const { text } = await acme.get(`Observation/$stats?${WEIGHT}&statistic=average&duration=0.001`);
  t.true(text.includes('"weight"'), text);
  t.false(text.includes('[]'), text);
});

test('$stats refuses what it can not do', async (t) => {
  for (const query of [
    'code=weight&statistic=count',
    'subject=p1&code=weight',
    'subject=p1&statistic=count',
    `${WEIGHT}&statistic=count&duration=long`,
    `${WEIGHT}&statistic=count&colour=red`,
  ]) {
    assertError(t, await acme.get(`Observation/$stats?${query}`), 400, 'INVALID_REQUEST');
  }
  assertError(t, await acme.get(`Observation/$stats?${WEIGHT}&statistic=kurtosis`), 400, 'NOT_SUPPORTED');
});
