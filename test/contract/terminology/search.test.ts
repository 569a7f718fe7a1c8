import test from 'ava';
import type { Bundle, CodeSystem, OperationOutcome } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { ANIMALS, animals, valueSetOf } from './definitions.js';

const server = await createTestServer({ partitions: ['acme', 'other'] });
const root = new FhirClient(server.url);
const acme = root.tenant('acme');
const SPECIES = 'http://example.org/vs/species';
const LARGE = 'http://example.org/large';
const LARGEST = 'http://example.org/largest';
const CODES = 10_000;

function concepts(count: number): { code: string }[] {
  return Array.from({ length: count }, (_, i) => ({ code: `c${i}` }));
}

test.before(async () => {
  const large: CodeSystem = { ...animals, url: LARGE, concept: concepts(CODES) };
  await root.post('CodeSystem', animals);
  await root.post('CodeSystem', large);
  await root.post('CodeSystem', { ...large, url: LARGEST, concept: concepts(50_001) });
  await root.send('PUT', 'ValueSet/species', {
    body: {
      ...valueSetOf(
        SPECIES,
        { system: ANIMALS, filter: [{ property: 'concept', op: 'is-a', value: 'dog' }] },
        { system: 'http://example.org/plants', concept: [{ code: 'rose' }] },
      ),
      id: 'species',
    },
  });
  await root.post('ValueSet', valueSetOf('http://example.org/vs/large', { system: LARGE }));
  await root.post('ValueSet', valueSetOf('http://example.org/vs/largest', { system: LARGEST }));
  for (const [tenant, id, system, code] of [
    ['acme', 'dog', ANIMALS, 'dog'],
    ['acme', 'puppy', ANIMALS, 'puppy'],
    ['acme', 'whale', ANIMALS, 'whale'],
    ['acme', 'rose', 'http://example.org/plants', 'rose'],
    ['acme', 'otherdog', 'http://example.org/others', 'dog'],
    ['acme', 'large', LARGE, `c${CODES - 1}`],
    ['other', 'dog', ANIMALS, 'dog'],
  ] as const) {
    const body = {
      resourceType: 'Observation',
      id,
      status: 'final',
      code: { coding: [{ system, code }] },
      subject: { reference: 'Patient/p' },
    };
    await root
      .tenant(tenant)
      .send('PUT', 'Patient/p', { body: { resourceType: 'Patient', id: 'p', gender: 'male' } });
    await root.tenant(tenant).send('PUT', `Observation/${id}`, { body });
  }
  await acme.send('PUT', 'Observation/bare', {
    body: { resourceType: 'Observation', id: 'bare', status: 'final', code: { text: 'nothing coded' } },
  });
});
test.after.always(() => server.stop());

async function found(query: string, client = acme): Promise<string[]> {
  const { status, text, body } = await client.get<Bundle>(`Observation?${query}&_count=100`);
  if (status !== 200) throw new Error(text);
  return (body.entry ?? []).map(({ resource }) => resource?.id ?? '').toSorted();
}

async function refusal(query: string): Promise<readonly [number, string, string]> {
  const { status, body } = await acme.get<OperationOutcome>(`Observation?${query}`);
  const [issue] = body.issue;
  return [status, issue?.details?.coding?.[0]?.code ?? '', issue?.diagnostics ?? ''];
}

test(':in finds the codes of a value set, by URL and by reference, and by their system', async (t) => {
  const expected = ['dog', 'puppy', 'rose'];
  t.deepEqual(await found(`code:in=${SPECIES}`), expected);
  t.deepEqual(await found('code:in=ValueSet/species'), expected);
  t.deepEqual(await found(`code:in=${acme.base}/ValueSet/species`), expected);
  t.deepEqual(await found(`code:in=${SPECIES}`, root.tenant('other')), ['dog']);
});

test(':not-in finds the others, those without a code among them', async (t) => {
  t.deepEqual(await found(`code:not-in=${SPECIES}`), ['bare', 'large', 'otherdog', 'whale']);
});

test(':below and :above find a code with those that it subsumes, and that subsume it', async (t) => {
  t.deepEqual(await found(`code:below=${ANIMALS}|mammal`), ['dog', 'puppy', 'whale']);
  t.deepEqual(await found(`code:above=${ANIMALS}|puppy`), ['dog', 'puppy']);
  t.deepEqual(await found(`code:below=${ANIMALS}|whale,${ANIMALS}|dog`), ['dog', 'puppy', 'whale']);
});

test('codes of value sets combine with other parameters, in chains and backwards', async (t) => {
  t.deepEqual(await found(`code:in=${SPECIES}&_id=dog,whale`), ['dog']);
  const { body } = await acme.get<Bundle>(`Patient?_has:Observation:subject:code:below=${ANIMALS}|mammal`);
  t.is(body.entry?.length, 1);
  t.is(
    (await found('subject:Patient.gender:in=http://hl7.org/fhir/ValueSet/administrative-gender')).length,
    6,
  );
});

test('a value set of many codes is one statement, and one of too many is refused', async (t) => {
  t.deepEqual(await found('code:in=http://example.org/vs/large'), ['large']);
  t.deepEqual((await refusal('code:in=http://example.org/vs/largest')).slice(0, 2), [400, 'LIMIT_EXCEEDED']);
});

test('what is not known is refused by name', async (t) => {
  const [status, code, message] = await refusal('code:in=http://example.org/vs/none');
  t.deepEqual([status, code], [400, 'INVALID_SEARCH']);
  t.is(message, 'Search parameter "code:in": There is no value set http://example.org/vs/none.');
  const cases: readonly (readonly [string, RegExp])[] = [
    ['code:below=http://loinc.org|1', /"code:below": The code system http:\/\/loinc\.org is not at hand/],
    [`code:below=${ANIMALS}|cat`, /has no code cat/],
    ['code:below=dog', /takes system\|code/],
    ['code:in=dog', /is no value set/],
    ['code:in=http://hl7.org/fhir/ValueSet/observation-codes', /needs the concepts of http:\/\/loinc\.org/],
    ['code:in=http://hl7.org/fhir/ValueSet/service-type', /here in a part only \(example\)/],
  ];
  for (const [query, text] of cases) {
    const answer = await refusal(query);
    t.deepEqual(answer.slice(0, 2), [400, 'INVALID_SEARCH'], query);
    t.regex(answer[2], text);
  }
});

function changing(code: string): object {
  return {
    ...valueSetOf('http://example.org/vs/changing', { system: ANIMALS, concept: [{ code }] }),
    id: 'changing',
  };
}

test.serial('a change of a value set is seen by the next search', async (t) => {
  const query = 'code:in=http://example.org/vs/changing';
  t.is((await refusal(query))[0], 400);
  await root.send('PUT', 'ValueSet/changing', { body: changing('whale') });
  t.deepEqual(await found(query), ['whale']);
  await root.send('PUT', 'ValueSet/changing', { body: changing('dog') });
  t.deepEqual(await found(query), ['dog']);
  await root.send('DELETE', 'ValueSet/changing');
  t.is((await refusal(query))[0], 400);
});

test('an element of type code whose binding has several systems is found by its code', async (t) => {
  const task = { resourceType: 'Task', id: 'order', status: 'requested', intent: 'order' };
  await acme.send('PUT', 'Task/order', { body: task });
  const { body } = await acme.get<Bundle>('Task?intent:in=http://hl7.org/fhir/ValueSet/task-intent');
  t.deepEqual(
    body.entry?.map(({ resource }) => resource?.id),
    ['order'],
  );
  const none = await acme.get<Bundle>('Task?intent:not-in=http://hl7.org/fhir/ValueSet/task-intent');
  t.is(none.body.entry, undefined);
});

test('pages of a search by a value set add up', async (t) => {
  const ids: string[] = [];
  let url: string | undefined = `Observation?code:in=${SPECIES}&_count=2`;
  while (url !== undefined) {
    const { body }: { body: Bundle } = await acme.get<Bundle>(url);
    ids.push(...(body.entry ?? []).map(({ resource }) => resource?.id ?? ''));
    url = body.link?.find(({ relation }) => relation === 'next')?.url;
  }
  t.deepEqual(ids.toSorted(), ['dog', 'puppy', 'rose']);
});
