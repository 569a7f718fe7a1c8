import test from 'ava';
import type { Bundle } from 'fhir/r4.js';
import { assertError } from '../support/fhir-client.js';
import { idsOf } from '../isolation/fixtures.js';
import { as, LAB, openAccessWorld } from './fixtures.js';

const { server, acme } = await openAccessWorld();
test.after.always(() => server.stop());

const patient = { patient: 'p1' };
const reader = as(acme, 'patient/*.rs', patient);
const FORBIDDEN = [403, 'FORBIDDEN'] as const;

test('a patient token reads its own patient and what belongs to it', async (t) => {
  for (const path of [
    'Patient/p1',
    'Observation/lab-p1',
    'Condition/con-p1',
    'Observation/lab-p1/_history/1',
  ])
    t.is((await reader.get(path)).status, 200, path);
});

test('a resource of another patient is answered as one that never was', async (t) => {
  for (const path of ['', '/_history/1', '/_history', '/$meta', '/$validate']) {
    const other = await reader.get(`Observation/lab-p2${path}`);
    const never = await reader.get(`Observation/lab-p9${path}`);
    t.is(other.status, 404, path);
    t.is(other.text.replaceAll('lab-p2', 'lab-p9'), never.text, path);
  }
});

test('another patient is answered as one that never was', async (t) => {
  assertError(t, await reader.get('Patient/p2'), 404, 'NOT_FOUND');
  assertError(t, await reader.get('Patient/p2/$everything'), 404, 'NOT_FOUND');
  assertError(t, await reader.get('Patient/p2/Observation'), 404, 'NOT_FOUND');
});

test('a search under a patient token finds what is in its compartment alone', async (t) => {
  t.deepEqual(idsOf(await reader.get<Bundle>('Observation')), ['Observation/lab-p1', 'Observation/vital-p1']);
  t.deepEqual(idsOf(await reader.get<Bundle>('Patient')), ['Patient/p1']);
  t.deepEqual(idsOf(await reader.get<Bundle>('Observation?subject=Patient/p2')), []);
  t.is(await reader.count('Observation?_id=lab-p2'), 0);
});

test('scopes with criteria limit reads and searches to what they find', async (t) => {
  const lab = as(acme, `patient/Observation.rs?category=${LAB}`, patient);
  t.deepEqual(idsOf(await lab.get<Bundle>('Observation')), ['Observation/lab-p1']);
  assertError(t, await lab.get('Observation/vital-p1'), 404, 'NOT_FOUND');
  const system = as(acme, `system/Observation.rs?category=${LAB}`);
  t.deepEqual(idsOf(await system.get<Bundle>('Observation')), ['Observation/lab-p1', 'Observation/lab-p2']);
});

test('several scopes of one type open what any of them opens', async (t) => {
  const both = as(acme, `patient/Observation.rs system/Observation.rs?category=${LAB}`, patient);
  const expected = ['Observation/lab-p1', 'Observation/lab-p2', 'Observation/vital-p1'];
  t.deepEqual(idsOf(await both.get<Bundle>('Observation')).toSorted(), expected);
});

test('a type that no scope covers is refused, by id, search, history and vread', async (t) => {
  const narrow = as(acme, 'patient/Observation.rs', patient);
  for (const path of [
    'Condition/con-p1',
    'Condition',
    'Condition/_history',
    'Condition/con-p1/_history',
    'Condition/con-p1/_history/1',
    '?_type=Observation,Condition',
    'Patient/p1/Condition',
  ])
    assertError(t, await narrow.get(path), ...FORBIDDEN);
});

test('a refusal says that the scope does not suffice', async (t) => {
  const answer = await as(acme, 'system/Observation.rs').get('Patient');
  t.is(answer.headers.get('www-authenticate'), 'Bearer error="insufficient_scope"');
});

test('reading needs the letter r, searching the letter s', async (t) => {
  const r = as(acme, 'system/Observation.r');
  t.is((await r.get('Observation/lab-p1')).status, 200);
  assertError(t, await r.get('Observation'), ...FORBIDDEN);
  const s = as(acme, 'system/Observation.s');
  t.is((await s.get('Observation')).status, 200);
  assertError(t, await s.get('Observation/lab-p1'), ...FORBIDDEN);
});

test('scopes that nobody understands, or whose claim is missing, grant nothing', async (t) => {
  const words = [
    'patient/*.rs',
    'user/*.rs',
    'Patient/*.rs',
    'system/*.sr',
    'system/Patient.rs?',
    'openid',
    'xsystem/*.rs',
  ];
  for (const word of words) assertError(t, await as(acme, word).get('Patient/p1'), ...FORBIDDEN);
});

test('criteria that are unknown to the type, empty or chained grant nothing', async (t) => {
  for (const query of [
    'colour=red',
    'category=',
    'subject.name=Mine',
    '_has:Observation:subject:code=1',
    '_count=5',
  ])
    t.is(
      (await as(acme, `system/Observation.rs?${query}`).get<Bundle>('Observation')).body.total ?? 0,
      0,
      query,
    );
});

test('what a record refers to without having it is read where the scope names it', async (t) => {
  t.is((await reader.get('Practitioner/doc')).status, 200);
  t.is((await as(acme, 'patient/Organization.rs', patient).get('Organization/org')).status, 200);
  assertError(t, await as(acme, 'patient/Observation.rs', patient).get('Practitioner/doc'), ...FORBIDDEN);
  assertError(t, await reader.get('Device/dev'), 404, 'NOT_FOUND');
  t.is(await reader.count('Device'), 0);
});

test('a Binary is for whoever may read its security context', async (t) => {
  t.is((await reader.get('Binary/bin-p1')).status, 200);
  assertError(t, await reader.get('Binary/bin-p2'), 404, 'NOT_FOUND');
  assertError(t, await reader.get('Binary/free'), 404, 'NOT_FOUND');
  t.is((await as(acme, 'system/Binary.rs').get('Binary/free')).status, 200);
  assertError(t, await as(acme, 'system/Binary.rs').get('Binary/bin-p1'), 404, 'NOT_FOUND');
  t.is((await as(acme, 'system/*.rs').get('Binary/bin-p1')).status, 200);
  t.is(await reader.count('Binary'), 0);
});

test('the history of a type is for those whom nothing limits', async (t) => {
  assertError(t, await reader.get('Observation/_history'), ...FORBIDDEN);
  assertError(t, await reader.get('_history'), ...FORBIDDEN);
  t.is((await as(acme, 'system/Observation.s').get('Observation/_history')).status, 200);
  assertError(t, await as(acme, 'system/Observation.s').get('_history'), ...FORBIDDEN);
  t.is((await as(acme, 'system/*.rs').get('_history')).status, 200);
});
