import test from 'ava';
import type { CodeSystem, Parameters, ValueSet } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { matchesOf, namesOf, pagesOf } from '../search/pages.js';
import { ANIMALS, animals } from './definitions.js';

const server = await createTestServer({ partitions: ['acme'] });
const client = new FhirClient(server.url);
const acme = client.tenant('acme');
test.after.always(() => server.stop());

const ALL_ANIMALS = 'http://example.org/vs/all-animals';

const supplement: CodeSystem = {
  resourceType: 'CodeSystem',
  id: 'more',
  url: 'http://example.org/animals-in-italian',
  version: '1',
  status: 'active',
  content: 'supplement',
  supplements: ANIMALS,
  concept: [
    {
      code: 'dog',
      designation: [{ language: 'it', value: 'Cane' }],
      property: [{ code: 'sound', valueString: 'bau' }],
    },
  ],
};

test.before(async () => {
  await client.put('CodeSystem/animals', { ...animals, id: 'animals', valueSet: ALL_ANIMALS });
});

async function namesOfDog(): Promise<readonly unknown[]> {
  const { body } = await acme.get<Parameters>(`CodeSystem/$lookup?system=${ANIMALS}&code=dog`);
  const designations = (body.parameter ?? []).filter(({ name }) => name === 'designation');
  return designations.flatMap(({ part = [] }) => part.find(({ name }) => name === 'value')?.valueString);
}

test.serial(
  'a supplement shows in $lookup and $expand from when it is stored until it is deleted',
  async (t) => {
    t.deepEqual(await namesOfDog(), ['Hund', 'Chien']);
    await client.put('CodeSystem/more', supplement);
    t.deepEqual(await namesOfDog(), ['Hund', 'Chien', 'Cane']);
    const sound = await acme.get<Parameters>(`CodeSystem/$lookup?system=${ANIMALS}&code=dog&property=sound`);
    t.regex(sound.text, /"bau"/);
    const url = encodeURIComponent(`${ANIMALS}?fhir_vs=isa/dog`);
    const { body } = await acme.get<ValueSet>(`ValueSet/$expand?url=${url}&displayLanguage=it`);
    t.deepEqual(
      body.expansion?.contains?.map(({ code, display }) => `${code} ${display}`),
      ['dog Cane', 'puppy Puppy'],
    );
    t.true(
      body.expansion?.parameter?.some(
        ({ name, valueUri }) => name === 'used-supplement' && valueUri === `${supplement.url}|1`,
      ),
    );
    const named = `CodeSystem/$validate-code?url=${ANIMALS}&code=dog&display=Cane`;
    t.regex((await acme.get(named)).text, /"valueBoolean":true/);
    await client.delete('CodeSystem/more');
    t.deepEqual(await namesOfDog(), ['Hund', 'Chien']);
  },
);

test.serial('a supplement has no codes of its own to be looked up', async (t) => {
  await client.put('CodeSystem/more', supplement);
  const answer = await acme.get(`CodeSystem/$lookup?system=${supplement.url}&code=dog`);
  assertError(t, answer, 404, 'UNKNOWN_CODE_SYSTEM');
  await client.delete('CodeSystem/more');
});

test.serial('implicit value sets are expanded, imported and searched by', async (t) => {
  for (const url of [`${ANIMALS}?fhir_vs`, ALL_ANIMALS]) {
    const { body } = await acme.get<ValueSet>(`ValueSet/$expand?url=${encodeURIComponent(url)}`);
    t.is(body.expansion?.total, 6, url);
    t.is(body.url, url);
  }
  await acme.put('Condition/c', {
    resourceType: 'Condition',
    id: 'c',
    subject: { display: 'x' },
    code: { coding: [{ system: ANIMALS, code: 'puppy' }] },
  });
  for (const url of [`${ANIMALS}?fhir_vs=isa/dog`, ALL_ANIMALS]) {
    const found = await pagesOf(acme, `Condition?code:in=${encodeURIComponent(url)}`);
    t.deepEqual(namesOf(matchesOf(found)), ['Condition/c'], url);
  }
  const none = await pagesOf(acme, `Condition?code:in=${encodeURIComponent(`${ANIMALS}?fhir_vs=isa/bird`)}`);
  t.deepEqual(namesOf(matchesOf(none)), []);
  const unknown = await acme.get(
    `ValueSet/$expand?url=${encodeURIComponent('http://example.org/none?fhir_vs')}`,
  );
  assertError(t, unknown, 404, 'UNKNOWN_VALUE_SET');
});
