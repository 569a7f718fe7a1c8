import test from 'ava';
import { assertError } from '../support/fhir-client.js';
import { exported, kickOff, observationOf, openExportServer, patientOf, store } from './fixtures.js';

const { server, acme, beta } = await openExportServer();
const PATIENTS = (...ids: readonly string[]): readonly object[] =>
  ids.map((id) => ({ name: 'patient', valueReference: { reference: `Patient/${id}` } }));

function groupOf(id: string, ...member: readonly object[]): object {
  return { resourceType: 'Group', id, type: 'person', actual: true, ...(member.length > 0 && { member }) };
}

function memberOf(reference: string, more: object = {}): object {
  return { entity: { reference }, ...more };
}

test.before(async () => {
  await store(
    acme,
    { resourceType: 'Organization', id: 'org', name: 'o' },
    patientOf('a'),
    patientOf('b'),
    patientOf('c', { link: [{ other: { reference: 'Patient/a' }, type: 'seealso' }] }),
    observationOf('oa', 'a'),
    observationOf('ob', 'b'),
    observationOf('oc', 'c'),
    { resourceType: 'Observation', id: 'nobody', status: 'final', code: { text: 'x' } },
    groupOf('g'),
    groupOf('inner', memberOf('Patient/b'), memberOf('Group/g')),
    groupOf('g', memberOf('Patient/a'), memberOf('Group/inner')),
    groupOf(
      'past',
      memberOf('Patient/a', { inactive: true }),
      memberOf('Patient/b', { period: { end: '2020' } }),
    ),
    groupOf('empty'),
    groupOf('ends', memberOf('Patient/c')),
  );
});
test.after.always(() => server.stop());

test('an export of patients has the patients and what belongs to any of them', async (t) => {
  const { output } = await exported(acme, 'Patient/$export');
  const groups = ['Group/ends', 'Group/g', 'Group/inner', 'Group/past'];
  const observations = ['Observation/oa', 'Observation/ob', 'Observation/oc'];
  t.deepEqual(output, [...groups, ...observations, 'Patient/a', 'Patient/b', 'Patient/c']);
  t.deepEqual((await exported(acme, 'Patient/$export?_type=Observation')).output, observations);
});

test('an export of named patients has theirs alone', async (t) => {
  const { output } = await exported(acme, 'Patient/$export', [
    ...PATIENTS('a'),
    { name: '_type', valueString: 'Patient,Observation' },
  ]);
  t.deepEqual(output, ['Observation/oa', 'Patient/a']);
  assertError(t, await kickOff(acme, 'Patient/$export', PATIENTS('none')), 404, 'NOT_FOUND');
});

test('an export of a group has what belongs to its members, also of groups in it, and no other group', async (t) => {
  const { output, errors } = await exported(acme, 'Group/g/$export');
  t.deepEqual(output, ['Group/g', 'Observation/oa', 'Observation/ob', 'Patient/a', 'Patient/b']);
  t.deepEqual(errors, []);
});

test('a group without members, or with former ones alone, has nothing', async (t) => {
  for (const id of ['empty', 'past']) {
    const { output, manifest } = await exported(acme, `Group/${id}/$export`);
    t.deepEqual(output, [], id);
    t.deepEqual(manifest.output, []);
  }
});

test('of a group single members can be named, and nobody else', async (t) => {
  const types = { name: '_type', valueString: 'Patient,Observation' };
  const { output } = await exported(acme, 'Group/g/$export', [...PATIENTS('b'), types]);
  t.deepEqual(output, ['Observation/ob', 'Patient/b']);
  assertError(t, await kickOff(acme, 'Group/g/$export', PATIENTS('c')), 404, 'NOT_FOUND');
});

test('a filter narrows one type of a group and no other', async (t) => {
  const { output } = await exported(
    acme,
    'Group/g/$export?_typeFilter=Patient?_id=a&_type=Patient,Observation',
  );
  t.deepEqual(output, ['Observation/oa', 'Observation/ob', 'Patient/a']);
});

test('a group that is not there is not found', async (t) => {
  await store(acme, groupOf('gone'));
  await acme.delete('Group/gone');
  const never = await kickOff(acme, 'Group/never/$export');
  const gone = await kickOff(acme, 'Group/gone/$export');
  assertError(t, never, 404, 'NOT_FOUND');
  t.is(gone.text, never.text.replace('never', 'gone'));
});

test('members elsewhere are told of, and left out', async (t) => {
  await store(
    beta,
    patientOf('a'),
    groupOf('mixed', memberOf('http://elsewhere.example/fhir/Patient/1'), memberOf('Patient/a')),
  );
  const { output, errors } = await exported(beta, 'Group/mixed/$export?_type=Patient');
  t.deepEqual(output, ['Patient/a']);
  t.is(errors.length, 1);
  t.regex(errors[0]!, /elsewhere\.example/);
});
