import test from 'ava';
import type {
  OperationOutcome,
  Parameters,
  ParametersParameter,
  TerminologyCapabilities,
  ValueSet,
} from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { ANIMALS, animals, valueSetOf } from './definitions.js';

const server = await createTestServer({ partitions: ['acme'] });
const root = new FhirClient(server.url);
const acme = root.tenant('acme');
const DOGS = 'http://example.org/vs/dogs';
const GENDERS = 'http://hl7.org/fhir/ValueSet/administrative-gender';

test.before(async (t) => {
  const dogs = valueSetOf(DOGS, {
    system: ANIMALS,
    filter: [{ property: 'concept', op: 'is-a', value: 'dog' }],
  });
  for (const [path, body] of [
    ['CodeSystem/animals', { ...animals, id: 'animals' }],
    ['ValueSet/dogs', { ...dogs, id: 'dogs', version: '1' }],
  ] as const) {
    t.is((await root.send('PUT', path, { body })).status, 201);
  }
});
test.after.always(() => server.stop());

function codesOf({ expansion }: ValueSet): string[] {
  return (expansion?.contains ?? []).map(({ code }) => code ?? '');
}

async function expand(query: string, client = acme): Promise<ValueSet> {
  return (await client.get<ValueSet>(`ValueSet/$expand?${query}`)).body;
}

/** Values of a Parameters resource by name; the last one of a name. */
function valuesOf({ parameter = [] }: Parameters): Record<string, unknown> {
  return Object.fromEntries(
    parameter.map((one) => [one.name, Object.entries(one).find(([key]) => key.startsWith('value'))?.[1]]),
  );
}

async function refusal(path: string): Promise<readonly [number, string]> {
  const { status, body } = await acme.get<OperationOutcome>(path);
  return [status, body.issue[0]?.details?.coding?.[0]?.code ?? ''];
}

test('a value set of R4 is expanded in every tenant and on the server', async (t) => {
  for (const client of [root, acme]) {
    const expanded = await expand(`url=${GENDERS}`, client);
    t.deepEqual(codesOf(expanded).toSorted(), ['female', 'male', 'other', 'unknown']);
    t.is(expanded.expansion?.total, 4);
    t.is(expanded.compose, undefined);
    t.is(expanded.url, GENDERS);
  }
});

test('a stored value set is expanded by URL, by version, by id, and from the body', async (t) => {
  t.deepEqual(codesOf(await expand(`url=${DOGS}`)), ['dog', 'puppy']);
  t.deepEqual(codesOf(await expand(`url=${DOGS}|1`)), ['dog', 'puppy']);
  t.deepEqual(await refusal(`ValueSet/$expand?url=${DOGS}|2`), [404, 'UNKNOWN_VALUE_SET']);
  t.deepEqual(await refusal(`ValueSet/$expand?url=${DOGS}&valueSetVersion=2`), [404, 'UNKNOWN_VALUE_SET']);
  t.deepEqual(codesOf((await acme.get<ValueSet>('ValueSet/dogs/$expand')).body), ['dog', 'puppy']);
  const body = valueSetOf('', { system: ANIMALS, concept: [{ code: 'bird' }] });
  t.deepEqual(codesOf((await acme.post<ValueSet>('ValueSet/$expand', body)).body), ['bird']);
  const parameters = { resourceType: 'Parameters', parameter: [{ name: 'valueSet', resource: body }] };
  t.deepEqual(codesOf((await acme.post<ValueSet>('ValueSet/$expand', parameters)).body), ['bird']);
});

test('pages of an expansion add up, and the total is that of all', async (t) => {
  const all = codesOf(await expand(`url=${GENDERS}`));
  const pages = await Promise.all([0, 3].map((offset) => expand(`url=${GENDERS}&count=3&offset=${offset}`)));
  t.deepEqual(pages.flatMap(codesOf), all);
  t.deepEqual(
    pages.map(({ expansion }) => [expansion?.total, expansion?.offset]),
    [
      [4, 0],
      [4, 3],
    ],
  );
});

test('the text filter, activeOnly, excludeNotForUI and designations say what is listed', async (t) => {
  const body = valueSetOf('http://example.org/vs/all', { system: ANIMALS });
  const listed = async (query: string): Promise<ValueSet> =>
    (await acme.post<ValueSet>(`ValueSet/$expand?${query}`, body)).body;
  t.deepEqual(codesOf(await listed('filter=DOG')), ['dog']);
  t.deepEqual(codesOf(await listed('filter=ham')), []);
  t.false('contains' in ((await listed('filter=ham')).expansion ?? {}));
  const foreign = valueSetOf('urn:vs', { system: 'urn:nobody', concept: [{ code: 'a' }] });
  const { expansion } = (await acme.post<ValueSet>('ValueSet/$expand', foreign)).body;
  t.is(expansion?.total, 1);
  t.false('parameter' in expansion!);
  const every = await listed('');
  t.is(every.expansion?.contains?.find(({ code }) => code === 'mammal')?.abstract, true);
  t.is(every.expansion?.contains?.find(({ code }) => code === 'mammoth')?.inactive, true);
  t.false(codesOf(await listed('activeOnly=true')).includes('mammoth'));
  t.false(codesOf(await listed('excludeNotForUI=true')).includes('mammal'));
  t.false(codesOf(await listed(`exclude-system=${ANIMALS}`)).includes('dog'));
  const german = (await listed(
    'displayLanguage=de-CH&includeDesignations=true&includeDefinition=true',
  )) as ValueSet;
  const dog = german.expansion?.contains?.find(({ code }) => code === 'dog');
  t.is(dog?.display, 'Hund');
  t.is(dog?.designation?.length, 2);
  t.truthy(german.compose);
  t.true(german.expansion?.parameter?.some(({ valueUri }) => valueUri === `${ANIMALS}|1`));
});

test('an expansion that needs what the server does not have says what that is', async (t) => {
  const { status, body } = await acme.get(
    'ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/observation-codes',
  );
  t.is(status, 422);
  t.regex(
    body.issue[0]?.diagnostics ?? '',
    /needs the concepts of http:\/\/loinc\.org, which is not at hand/,
  );
});

test('an expansion of a part of a code system says that it is one', async (t) => {
  const expanded = await expand('url=http://hl7.org/fhir/ValueSet/service-type');
  t.true(codesOf(expanded).length > 500);
  t.is(expanded.expansion?.extension?.[0]?.url, 'http://hl7.org/fhir/StructureDefinition/valueset-unclosed');
  t.true(expanded.expansion?.parameter?.some(({ name }) => name === 'used-example'));
});

test('what the specification defines and the server does not serve is refused by name', async (t) => {
  t.deepEqual(await refusal(`ValueSet/$expand?url=${GENDERS}&date=2020-01-01`), [400, 'NOT_SUPPORTED']);
  t.deepEqual(await refusal(`ValueSet/$expand?url=${GENDERS}&colour=red`), [400, 'INVALID_REQUEST']);
  t.deepEqual(await refusal(`ValueSet/$expand?url=${GENDERS}&activeOnly=maybe`), [400, 'INVALID_REQUEST']);
  t.deepEqual(await refusal(`ValueSet/$expand?url=${GENDERS}&count=-1`), [400, 'INVALID_REQUEST']);
  t.deepEqual(await refusal('ValueSet/$expand'), [400, 'INVALID_REQUEST']);
  t.deepEqual(await refusal('ValueSet/none/$expand'), [404, 'NOT_FOUND']);
  t.deepEqual(await refusal('ValueSet/$expand?url=http://example.org/none'), [404, 'UNKNOWN_VALUE_SET']);
  t.deepEqual(await refusal('Patient/$expand'), [404, 'UNKNOWN_OPERATION']);
  t.deepEqual(await refusal('CodeSystem/animals/$lookup?code=dog'), [404, 'UNKNOWN_OPERATION']);
});

async function statusWith(query: string): Promise<number> {
  return (await acme.get(`ValueSet/$expand?url=${DOGS}&${query}`)).status;
}

test('versions of code systems are preferred, demanded and forced', async (t) => {
  t.is(await statusWith(`system-version=${ANIMALS}|1`), 200);
  t.is(await statusWith(`system-version=${ANIMALS}|2`), 422);
  t.is(await statusWith(`check-system-version=${ANIMALS}|1`), 200);
  t.is(await statusWith(`check-system-version=${ANIMALS}|2`), 422);
  t.is(await statusWith(`force-system-version=${ANIMALS}|2`), 422);
  t.is(await statusWith(`force-system-version=${ANIMALS}`), 400);
});

async function validate(path: string): Promise<Record<string, unknown>> {
  return valuesOf((await acme.get<Parameters>(path)).body);
}

test('a code is in a value set or not, and the message says why not', async (t) => {
  const path = `ValueSet/$validate-code?url=${DOGS}&system=${ANIMALS}`;
  t.deepEqual(await validate(`${path}&code=puppy`), { result: true, display: 'Puppy' });
  const whale = await validate(`${path}&code=whale`);
  t.is(whale['result'], false);
  t.regex(String(whale['message']), /whale is not in the value set/);
  const misnamed = await validate(`${path}&code=dog&display=Cat`);
  t.deepEqual(misnamed, { result: false, message: 'The display "Cat" is incorrect.', display: 'Dog' });
  t.is((await validate(`${path}&code=dog&display=hund`))['result'], true);
  t.is((await validate(`ValueSet/dogs/$validate-code?system=${ANIMALS}&code=dog`))['result'], true);
  t.deepEqual(await refusal(`ValueSet/$validate-code?url=${DOGS}&code=dog`), [400, 'INVALID_REQUEST']);
});

test('what has the wrong shape is refused, whatever it is', async (t) => {
  const bodies: object[] = [
    { resourceType: 'ValueSet' },
    { resourceType: 'ValueSet', url: 5, compose: { include: 7 } },
    {
      resourceType: 'ValueSet',
      compose: { include: [{ system: ANIMALS, filter: 'x' }, null, { valueSet: 5 }] },
    },
    { resourceType: 'ValueSet', compose: { include: [{ system: ANIMALS, filter: [{ property: 1 }] }] } },
    { resourceType: 'Patient' },
    { resourceType: 'Parameters', parameter: [{ name: 'valueSet', valueString: 'x' }] },
    { resourceType: 'Parameters', parameter: [{ name: 'url', valueUri: { a: 1 } }] },
  ];
  for (const body of bodies) {
    const { status } = await acme.post('ValueSet/$expand', body);
    t.true(status === 400 || status === 422, JSON.stringify(body));
  }
  for (const valueCoding of [5, {}, { code: 1 }, { code: 'dog', system: 5 }]) {
    const body = { resourceType: 'Parameters', parameter: [{ name: 'coding', valueCoding }] };
    t.is((await acme.post(`ValueSet/$validate-code?url=${DOGS}`, body)).status, 400);
    t.is((await acme.post('CodeSystem/$lookup', body)).status, 400);
  }
});

test('a code that needs an absent code system is not valid, and nobody is told that it is', async (t) => {
  const path = 'ValueSet/$validate-code?url=http://hl7.org/fhir/ValueSet/observation-codes';
  const answer = await validate(`${path}&system=http://loinc.org&code=8480-6`);
  t.is(answer['result'], false);
  t.regex(String(answer['message']), /loinc/);
});

test('a code is of a code system or not; abstract codes are for navigation', async (t) => {
  const path = `CodeSystem/$validate-code?url=${ANIMALS}`;
  t.deepEqual(await validate(`${path}&code=dog`), { result: true, display: 'Dog' });
  t.is((await validate(`${path}&code=cat`))['result'], false);
  t.is((await validate(`${path}&code=mammal`))['result'], false);
  t.is((await validate(`${path}&code=mammal&abstract=true`))['result'], true);
  t.is((await validate('CodeSystem/animals/$validate-code?code=dog'))['result'], true);
  t.is((await validate('CodeSystem/$validate-code?url=http://loinc.org&code=1'))['result'], false);
});

function partValues({ part = [] }: ParametersParameter): unknown[] {
  return part.map((one) => Object.entries(one).find(([key]) => key.startsWith('value'))?.[1]);
}

test('a look-up tells names, designations and properties, or those that are asked for', async (t) => {
  const { body } = await acme.get<Parameters>(`CodeSystem/$lookup?system=${ANIMALS}&code=dog`);
  const all = (body.parameter ?? []).map((one) => [one.name, one.valueString ?? partValues(one)]);
  t.deepEqual(all, [
    ['name', 'Animals'],
    ['version', '1'],
    ['display', 'Dog'],
    ['designation', ['de', 'Hund']],
    ['designation', ['fr', 'Chien']],
    ['property', ['definition', 'A friend.']],
    ['property', ['legs', 4]],
    ['property', ['parent', 'mammal']],
    ['property', ['child', 'puppy']],
  ]);
  const some = await acme.get<Parameters>(
    `CodeSystem/$lookup?system=${ANIMALS}&code=dog&property=legs&property=lang.de&displayLanguage=fr`,
  );
  t.deepEqual(
    some.body.parameter?.map(({ name }) => name),
    ['name', 'version', 'display', 'designation', 'property'],
  );
  t.is(valuesOf(some.body)['display'], 'Chien');
  t.deepEqual(await refusal(`CodeSystem/$lookup?system=${ANIMALS}&code=cat`), [404, 'UNKNOWN_CODE']);
  t.deepEqual(await refusal('CodeSystem/$lookup?system=http://loinc.org&code=1'), [
    404,
    'UNKNOWN_CODE_SYSTEM',
  ]);
});

test('two codes subsume one another, or do not', async (t) => {
  const ask = async (codeA: string, codeB: string): Promise<unknown> =>
    (await validate(`CodeSystem/$subsumes?system=${ANIMALS}&codeA=${codeA}&codeB=${codeB}`))['outcome'];
  t.is(await ask('mammal', 'puppy'), 'subsumes');
  t.is(await ask('puppy', 'mammal'), 'subsumed-by');
  t.is(await ask('dog', 'dog'), 'equivalent');
  t.is(await ask('bird', 'dog'), 'not-subsumed');
  t.is((await validate('CodeSystem/animals/$subsumes?codeA=mammal&codeB=dog'))['outcome'], 'subsumes');
  t.deepEqual(await refusal(`CodeSystem/$subsumes?system=${ANIMALS}&codeA=dog&codeB=cat`), [
    404,
    'UNKNOWN_CODE',
  ]);
});

test('the server says which terminology it serves', async (t) => {
  const { status, body } = await acme.get<TerminologyCapabilities>('metadata?mode=terminology');
  t.is(status, 200);
  t.is(body.resourceType, 'TerminologyCapabilities');
  t.is(body.expansion?.paging, true);
  t.is(body.implementation?.url, acme.base);
  t.deepEqual(await refusal('metadata?mode=none'), [400, 'NOT_SUPPORTED']);
});

test('each type lists its own operations', async (t) => {
  const { body } = await acme.get<{
    rest: { resource: { type: string; operation: { name: string }[] }[] }[];
  }>('metadata');
  const of = (type: string): string[] =>
    (body.rest[0]?.resource.find((one) => one.type === type)?.operation ?? []).map(({ name }) => name);
  t.true(of('ValueSet').includes('expand'));
  t.deepEqual(
    of('CodeSystem').filter((name) => !of('Patient').includes(name)),
    ['validate-code', 'lookup', 'subsumes'],
  );
});
