import test from 'ava';
import type { Bundle, FhirResource } from 'fhir/r4.js';
import { FhirClient } from '../support/fhir-client.js';
import { idsOf, linkOf, openWorld, store, type World } from './fixtures.js';

/** What DEFAULT holds besides definitions is its own, although every tenant looks into DEFAULT for definitions. */
let world: World;
let own: FhirClient;

const SECRET = 'Secret';

const DEFINITIONS: readonly FhirResource[] = [
  { resourceType: 'Questionnaire', id: 'q1', url: 'urn:q1', status: 'active' },
  { resourceType: 'Questionnaire', id: 'q2', url: 'urn:q2', status: 'active' },
  {
    resourceType: 'Library',
    id: 'l1',
    status: 'active',
    type: { text: 'x' },
    subjectReference: { reference: 'Group/g1' },
  },
];

const CLINICAL: readonly FhirResource[] = [
  { resourceType: 'Patient', id: 's1', name: [{ family: SECRET }] },
  { resourceType: 'Group', id: 'g1', type: 'person', actual: true, code: { text: SECRET } },
  {
    resourceType: 'List',
    id: 'list',
    status: 'current',
    mode: 'working',
    entry: [{ item: { reference: 'Questionnaire/q1' } }],
  },
  {
    resourceType: 'QuestionnaireResponse',
    id: 'r1',
    questionnaire: 'urn:q1',
    status: 'completed',
    subject: { reference: 'Patient/s1' },
  },
  {
    resourceType: 'Observation',
    id: 'o1',
    status: 'final',
    code: { text: SECRET },
    focus: [{ reference: 'Questionnaire/q1' }],
    subject: { reference: 'Patient/s1' },
  },
];

test.before(async () => {
  world = await openWorld();
  own = world.root.tenant('DEFAULT');
  await store({ name: 'DEFAULT', client: own, canary: SECRET }, ...DEFINITIONS, ...CLINICAL);
});

test.after.always(() => world.server.stop());

/** Searches that would tell of what DEFAULT holds, and what a tenant may find with them. */
const SEARCHES: readonly (readonly [search: string, found: readonly string[]])[] = [
  ['Questionnaire?_id=q1&_revinclude=Observation:focus', ['Questionnaire/q1']],
  ['Questionnaire?_id=q1&_revinclude=QuestionnaireResponse:questionnaire', ['Questionnaire/q1']],
  [
    'Questionnaire?_id=q1&_revinclude=Observation:focus&_include:iterate=Observation:subject',
    ['Questionnaire/q1'],
  ],
  ['?_type=Questionnaire&_id=q1&_revinclude=Observation:focus', ['Questionnaire/q1']],
  ['Library?_include=*', ['Library/l1']],
  ['Questionnaire?_has:Observation:focus:patient.name=secret', []],
  ['Questionnaire?_has:Observation:focus:status=final', []],
  ['?_type=Questionnaire,Library&_has:Observation:focus:status=final', []],
  ['Library?subject:Group.code:text=secret', []],
  ['Questionnaire?_list=list', []],
];

for (const [search, found] of SEARCHES) {
  test(`a tenant sees definitions of DEFAULT and nothing that refers to them: ${search}`, async (t) => {
    const answer = await world.acme.client.get<Bundle>(search);
    if (answer.status === 200) {
      t.deepEqual(idsOf(answer), found);
      t.is(answer.body.total ?? 0, found.length);
    } else {
      t.true([400, 404].includes(answer.status), answer.text);
    }
    t.false(answer.text.includes(SECRET));
  });
}

test('DEFAULT itself sees both', async (t) => {
  const included = await own.get<Bundle>('Questionnaire?_id=q1&_revinclude=Observation:focus');
  t.deepEqual(idsOf(included), ['Questionnaire/q1', 'Observation/o1']);
  const chained = await own.get<Bundle>('Questionnaire?_has:Observation:focus:patient.name=secret');
  t.deepEqual(idsOf(chained), ['Questionnaire/q1']);
});

test('a page of DEFAULT that a tenant follows is as poor as its own', async (t) => {
  const first = await own.get<Bundle>('Questionnaire?_count=1&_sort=-_id&_revinclude=Observation:focus');
  const next = linkOf(first, 'next')?.replace('/DEFAULT', '/acme') ?? '';
  const second = await world.acme.client.get<Bundle>(next);
  t.is(second.status, 200, second.text);
  t.deepEqual(idsOf(second), ['Questionnaire/q1']);
  t.false(second.text.includes(SECRET));
});

test('a condition of a tenant’s write asks nothing of what refers to definitions', async (t) => {
  const condition = '_has:Observation:focus:status=final';
  const questionnaire = { resourceType: 'Questionnaire', status: 'draft' };
  const { acme } = world;
  const created = await acme.client.post('Questionnaire', questionnaire, { 'if-none-exist': condition });
  t.is(created.status, 201, 'nothing matches');
  const updated = await acme.client.put(`Questionnaire?${condition}`, questionnaire);
  t.is(updated.status, 201, updated.text);
});

test('a chain through a canonical URL asks nothing of what refers to the definition', async (t) => {
  const { acme } = world;
  await store(acme, {
    resourceType: 'QuestionnaireResponse',
    id: 'own',
    questionnaire: 'urn:q1',
    status: 'completed',
  });
  const chain = 'QuestionnaireResponse?questionnaire:Questionnaire';
  t.deepEqual(idsOf(await acme.client.get<Bundle>(`${chain}.status=active`)), ['QuestionnaireResponse/own']);
  const asked = await acme.client.get<Bundle>(`${chain}._has:Observation:focus:status=final`);
  t.deepEqual(asked.status === 200 ? idsOf(asked) : [], [], asked.text);
});
