import test from 'ava';
import type { CapabilityStatement, CapabilityStatementRest } from 'fhir/r4.js';
import { COMMON_PARAMETERS } from '../../../src/search/common-parameters.js';
import { RESULT_PARAMETERS } from '../../../src/search/parse-result.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';

const server = await createTestServer();
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

async function statement(from = client): Promise<CapabilityStatementRest> {
  const { body } = await from.get<CapabilityStatement>('metadata');
  const [rest] = body.rest ?? [];
  if (!rest) throw new Error('The statement tells nothing of searches.');
  return rest;
}

const isAccepted = async (search: string): Promise<boolean> => (await client.get(search)).status === 200;

/** A value of each parameter that every search takes, or would, if the server knew it. */
const SAMPLES: Readonly<Record<string, string>> = {
  _filter: '_filter=birthdate ge 2000',
  _has: '_has:Observation:patient:code=x',
  _list: '_list=none',
  _include: '_include=Patient:general-practitioner',
  _revinclude: '_revinclude=Observation:patient',
  _sort: '_sort=birthdate',
  _count: '_count=1',
  _total: '_total=accurate',
  _summary: '_summary=true',
  _elements: '_elements=name',
  _contained: '_contained=false',
  _containedType: '_containedType=contained',
  _query: '_query=x',
};

test('the parameters that every search takes are named, those alone, and those of results all', async (t) => {
  const named = new Set((await statement()).searchParam?.map(({ name }) => name));
  t.deepEqual(
    [...named],
    COMMON_PARAMETERS.map(({ name }) => name),
  );
  for (const name of RESULT_PARAMETERS) t.true(name in SAMPLES, `${name} has a sample`);
  for (const [name, sample] of Object.entries(SAMPLES)) {
    t.is(named.has(name), await isAccepted(`Patient?${encodeURI(sample)}`), name);
  }
  t.true(named.has('_type') && (await isAccepted('?_type=Patient')));
});

/** How each parameter can be asked for; most by whether there is a value. */
const ASKED: Readonly<Record<string, string>> = {
  _lastUpdated: '_lastUpdated=gt2020',
  _id: '_id=x',
  _text: '_text=x',
  _content: '_content=x',
};

for (const fullText of ['off', 'on'] as const) {
  test(`a parameter of a type is named where it can be searched by, and nowhere else; full text is ${fullText}`, async (t) => {
    const one = await createTestServer({ settings: { fullText } });
    t.teardown(() => one.stop());
    const from = new FhirClient(one.url);
    const { resource = [] } = await statement(from);
    for (const type of ['Patient', 'Location', 'Bundle']) {
      const known = one.bulkhead.parts.parameters.list(type).map(({ code }) => code);
      const named = resource.find((each) => each.type === type)?.searchParam?.map(({ name }) => name) ?? [];
      for (const code of known) {
        const search = `${type}?${ASKED[code] ?? `${code}:missing=true`}`;
        t.is(named.includes(code), (await from.get(search)).status === 200, search);
      }
    }
  });
}

test('what is named to include and to include backwards is accepted', async (t) => {
  const { resource = [] } = await statement();
  const practitioner = resource.find(({ type }) => type === 'Practitioner');
  t.true(practitioner?.searchInclude === undefined || practitioner.searchInclude.length > 0);
  t.true(practitioner?.searchRevInclude?.includes('Patient:general-practitioner'));
  t.false(practitioner?.searchRevInclude?.includes('Observation:patient'));
  for (const { type, searchInclude = [], searchRevInclude = [] } of resource) {
    if (type !== 'Encounter') continue;
    t.true(searchInclude.includes('*') && searchRevInclude.length > 10);
    for (const one of searchInclude) t.true(await isAccepted(`${type}?_include=${one}`), one);
    for (const one of searchRevInclude) t.true(await isAccepted(`${type}?_revinclude=${one}`), one);
  }
});
