import test, { type ExecutionContext } from 'ava';
import { openGuarded, type GuardedWorld } from '../auth/fixtures.js';
import type { Claims } from '../auth/issuer.js';
import { LAB, recordOf } from '../access/fixtures.js';

/** With real tokens, of which each test says the scopes and claims. */
async function openRecords(t: ExecutionContext): Promise<GuardedWorld> {
  const world = await openGuarded(t, { settings: { partitioning: ['url'] } });
  const entry = [...recordOf('p1', 'Mine'), ...recordOf('p2', 'Theirs')].map((resource) => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  }));
  const body = { resourceType: 'Bundle', type: 'transaction', entry };
  const { status, text } = await world.as(claims('system/*.cruds'), 'acme', { body });
  if (status !== 200) throw new Error(text);
  return world;
}

function claims(scope: string, others: Claims = {}): Claims {
  return { tenant_id: 'acme', scope, ...others };
}

const MINE = { patient: 'p1' };

test('attack 104: includes of patient/*.rs bring nothing of another patient', async (t) => {
  const { as } = await openRecords(t);
  for (const search of [
    'Observation?_include=*',
    'Patient?_revinclude=Observation:subject&_revinclude=Condition:subject&_revinclude=List:subject',
    'Patient?_id=p2&_revinclude=Observation:subject',
    'List?_include=List:item&_revinclude:iterate=Observation:subject',
  ]) {
    const answer = await as(claims('patient/*.rs', MINE), `acme/${search}`);
    t.is(answer.status, 200, answer.text);
    t.false(/-p2|Patient\/p2|Theirs/.test(answer.text.replaceAll(search, '')), answer.text);
  }
});

test('attack 104: $everything and the compartment of another patient are not there', async (t) => {
  const { as } = await openRecords(t);
  for (const path of ['Patient/p2/$everything', 'Patient/p2/Observation', 'Patient/p2/*', 'Patient/p2'])
    t.is((await as(claims('patient/*.rs', MINE), `acme/${path}`)).status, 404, path);
});

test('attack 104: patient/ without the claim patient, and user/ without fhirUser, open nothing', async (t) => {
  const { as } = await openRecords(t);
  for (const scope of ['patient/*.rs', 'patient/Patient.read', 'user/*.rs', 'user/*.*'])
    for (const path of [
      'Patient/p1',
      'Patient',
      'Patient/p1/$everything',
      '?_type=Patient',
      'Patient/p1/_history',
    ])
      t.is((await as(claims(scope), `acme/${path}`)).status, 403, `${scope} ${path}`);
  for (const patient of ['', 'Patient/p1', 'p1,p2', ['p1'], { id: 'p1' }, '../p1'])
    t.is(
      (await as(claims('patient/*.rs', { patient }), 'acme/Patient/p1')).status,
      403,
      JSON.stringify(patient),
    );
});

test('attack 104: user/ with fhirUser opens what the scope says', async (t) => {
  const { as } = await openRecords(t);
  const user = claims('user/Observation.rs', { fhirUser: 'Practitioner/doc' });
  t.is((await as(user, 'acme/Observation/lab-p2')).status, 200);
  t.is((await as(user, 'acme/Patient/p1')).status, 403);
});

test('attack 104: scopes of version 1 and 2 in one token open what each of them opens', async (t) => {
  const { as } = await openRecords(t);
  const mixed = claims(
    'patient/Patient.read patient/Observation.rs launch/patient openid offline_access',
    MINE,
  );
  t.is((await as(mixed, 'acme/Patient/p1')).status, 200);
  t.is((await as(mixed, 'acme/Observation/lab-p1')).status, 200);
  t.is((await as(mixed, 'acme/Condition/con-p1')).status, 403);
  t.is((await as(mixed, 'acme/Patient/p1', { method: 'DELETE' })).status, 403);
});

test('attack 104: a scope with criteria opens nothing else of its type by any way', async (t) => {
  const { as } = await openRecords(t);
  const labs = claims(`patient/Observation.rs?category=${LAB} patient/Patient.rs`, MINE);
  for (const path of [
    'Observation/vital-p1',
    'Observation/vital-p1/_history/1',
    'Observation/vital-p1/_history',
    'Observation/vital-p1/$meta',
  ])
    t.is((await as(labs, `acme/${path}`)).status, 404, path);
  for (const search of [
    'Observation?_id=vital-p1',
    'Observation?category=vital-signs',
    'Observation?category:not=laboratory',
    'Patient?_has:Observation:subject:category=vital-signs',
    'Observation?_filter=category eq vital-signs or status eq final&_id=vital-p1',
    'Patient/p1/Observation?category=vital-signs',
  ]) {
    const answer = await as(labs, `acme/${search}&_summary=count`);
    t.regex(answer.text, /"total":0/, `${search} ${answer.text}`);
  }
});

test('attack 104: each entry of a bundle is held to the scopes', async (t) => {
  const { as } = await openRecords(t);
  const entry = ['Patient/p2', 'Observation/lab-p2', 'Patient/p2/$everything', 'Observation?_id=lab-p2'].map(
    (url) => ({ request: { method: 'GET', url } }),
  );
  const body = { resourceType: 'Bundle', type: 'batch', entry };
  const answer = await as(claims('patient/*.rs', MINE), 'acme', { body });
  t.is(answer.status, 200);
  t.false(/Theirs|"lab-p2"/.test(answer.text), answer.text);
});

test('attack 104: no scope, and words that are like scopes, open nothing', async (t) => {
  const { as } = await openRecords(t);
  for (const scope of [
    '',
    'patient/*.READ',
    'patient/Patient.rsx',
    'xpatient/Patient.rs',
    'patient/Patient.rs?',
    'patient/Patient.rs?gender=',
    'patient/Pat*.rs',
  ])
    t.is((await as(claims(scope, MINE), 'acme/Patient/p1')).status, 403, scope);
});
