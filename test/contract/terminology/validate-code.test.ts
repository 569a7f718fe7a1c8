import test from 'ava';
import type { CodeableConcept, Parameters, ParametersParameter } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { ANIMALS, animals, valueSetOf } from './definitions.js';

const server = await createTestServer({ partitions: ['acme'] });
const root = new FhirClient(server.url);
const acme = root.tenant('acme');
const DOGS = 'http://example.org/vs/dogs';

test.before(async (t) => {
  const dogs = valueSetOf(DOGS, {
    system: ANIMALS,
    filter: [{ property: 'concept', op: 'is-a', value: 'dog' }],
  });
  t.is((await root.put('CodeSystem/animals', { ...animals, id: 'animals' })).status, 201);
  t.is((await root.put('ValueSet/dogs', { ...dogs, id: 'dogs' })).status, 201);
});
test.after.always(() => server.stop());

/** The answer's values by name. */
async function validate(path: string, ...parameter: ParametersParameter[]): Promise<Record<string, unknown>> {
  const { body } = await acme.post<Parameters>(path, { resourceType: 'Parameters', parameter });
  return Object.fromEntries(
    (body.parameter ?? []).map((one) => [one.name, one.valueBoolean ?? one.valueString]),
  );
}

function validateInDogs(...parameter: ParametersParameter[]): Promise<Record<string, unknown>> {
  return validate(`ValueSet/$validate-code?url=${DOGS}`, ...parameter);
}

test('a Coding and the Codings of a CodeableConcept are validated; one of several is enough', async (t) => {
  const [dog, bird] = ['dog', 'bird'].map((code) => ({ system: ANIMALS, code }));
  t.is((await validateInDogs({ name: 'coding', valueCoding: dog! }))['result'], true);
  t.is((await validateInDogs({ name: 'coding', valueCoding: bird! }))['result'], false);
  t.is(
    (await validateInDogs({ name: 'codeableConcept', valueCodeableConcept: { coding: [bird!, dog!] } }))[
      'result'
    ],
    true,
  );
  t.is(
    (await validateInDogs({ name: 'codeableConcept', valueCodeableConcept: { coding: [bird!] } }))['result'],
    false,
  );
});

function conceptInDogs(valueCodeableConcept: CodeableConcept): Promise<Record<string, unknown>> {
  return validateInDogs({ name: 'codeableConcept', valueCodeableConcept });
}

test('of a CodeableConcept only codings with system and code are looked at, beside others', async (t) => {
  const dog = { system: ANIMALS, code: 'dog' };
  const beside = [{ code: 'K9' }, { system: ANIMALS }, { display: 'Dog' }];
  t.is((await conceptInDogs({ coding: [...beside, dog] }))['result'], true);
  for (const concept of [{ coding: beside }, { text: 'a dog' }]) {
    const { result, message } = await conceptInDogs(concept);
    t.is(result, false);
    t.regex(String(message), /has a system and a code/);
  }
});

test('a Coding of another code system than the one that is asked is none of it', async (t) => {
  const gender = { system: 'http://hl7.org/fhir/administrative-gender', code: 'male' };
  for (const [path, valueCoding] of [
    [`CodeSystem/$validate-code?url=${ANIMALS}`, gender],
    ['CodeSystem/animals/$validate-code', gender],
    [`CodeSystem/$validate-code?url=${gender.system}`, { system: ANIMALS, code: 'dog' }],
  ] as const) {
    const { result, message } = await validate(path, { name: 'coding', valueCoding });
    t.is(result, false, path);
    t.regex(String(message), /is none of/);
  }
});
