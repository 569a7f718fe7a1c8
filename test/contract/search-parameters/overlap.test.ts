import test from 'ava';
import type { Bundle, OperationOutcome, Patient, SearchParameter } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, codeOf, FhirClient } from '../support/fhir-client.js';
import { createServerPair, createParameter, matchesOf, parameterOf, patchParameter } from './fixtures.js';

const server = await createTestServer({ contents: 'search-parameters', partitions: ['acme'] });
const client = new FhirClient(server.url);
const acme = client.tenant('acme');
test.after.always(() => server.stop());

const OVERLAP = "Can't process submitted SearchParameter as it is overlapping an existing one";

test('a code that an active parameter has on a shared type is refused, and the other is named', async (t) => {
  const family = await client.post<OperationOutcome>('SearchParameter', parameterOf('family'));
  assertError(t, family, 422, 'SEARCH_PARAMETER_OVERLAP');
  t.is(family.body.issue[0]?.diagnostics, OVERLAP);
  t.regex(
    family.body.issue[1]?.diagnostics ?? '',
    /SearchParameter\/individual-family already on Patient\.$/,
  );
});

test('bases that stand for many types share each of them', async (t) => {
  const expression = "Resource.meta.extension('http://example.org/who').value.ofType(string)";
  const wide = (base: SearchParameter['base'], more: Partial<SearchParameter> = {}) =>
    client.post('SearchParameter', parameterOf('who', { base, expression, ...more }));
  t.is((await wide(['DomainResource'])).status, 201);
  const url = 'http://example.org/other';
  assertError(t, await wide(['Flag'], { url }), 422, 'SEARCH_PARAMETER_OVERLAP');
  assertError(t, await wide(['Resource'], { url }), 422, 'SEARCH_PARAMETER_OVERLAP');
  t.is((await wide(['Bundle'], { url })).status, 201);
});

test('a standard parameter makes room: patch its base, then create; in between nobody searches by it', async (t) => {
  const { body: patient } = await acme.post<Patient>('Patient', {
    resourceType: 'Patient',
    name: [{ given: ['Ada'] }],
  });
  const found = await client.get<Bundle>('SearchParameter?code=given&base=Patient');
  const [standard] = (found.body.entry ?? []).map(({ resource }) => resource as SearchParameter);
  const base = standard?.base.filter((type) => type !== 'Patient');
  const patched = await patchParameter<SearchParameter>(client, standard?.id ?? '', [
    { op: 'replace', path: '/base', value: base },
  ]);
  t.is(patched.status, 200, patched.text);
  assertError(t, await acme.get('Patient?given=ada'), 400, 'UNKNOWN_SEARCH_PARAMETER');
  const lenient = { prefer: 'handling=lenient' };
  for (const search of [
    'Patient?given=ada',
    'Patient?link:Patient.given=ada',
    'Patient?_filter=given eq ada',
  ])
    assertError(t, await acme.get(search, lenient), 400, 'INVALID_SEARCH');
  t.is((await acme.get('Patient?never-known=ada', lenient)).status, 200);
  t.is((await acme.get('Practitioner?given=ada')).status, 200);
  await createParameter(client, parameterOf('given', { expression: 'Patient.name.given' }));
  t.deepEqual(matchesOf(await acme.get<Bundle>('Patient?given=ada')), [patient.id]);
});

test('a parameter does not overlap itself, nor one that is not active', async (t) => {
  const { id, ...own } = await createParameter(client, parameterOf('self'));
  t.is((await client.put(`SearchParameter/${id}`, { ...own, id, description: 'again' })).status, 200);
  const draft = await createParameter(
    client,
    parameterOf('self', { status: 'draft', url: 'http://example.org/draft' }),
  );
  const activate = [{ op: 'replace', path: '/status', value: 'active' }];
  assertError(t, await patchParameter(client, draft.id, activate), 422, 'SEARCH_PARAMETER_OVERLAP');
  t.is((await client.delete(`SearchParameter/${id}`)).status, 204);
  t.is((await patchParameter(client, draft.id, activate)).status, 200);
});

test('of many that come at once, on several servers, one is created', async (t) => {
  const pair = await createServerPair();
  const { clients } = pair;
  await clients[0].count('SearchParameter');
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, at) =>
      clients[at % 2]!.post('SearchParameter', parameterOf('race', { url: `http://example.org/race/${at}` })),
    ),
  );
  t.deepEqual(answers.map((answer) => (answer.status === 201 ? 'created' : codeOf(answer))).toSorted(), [
    ...Array.from({ length: 7 }, () => 'SEARCH_PARAMETER_OVERLAP'),
    'created',
  ]);
  await pair.stop();
});
