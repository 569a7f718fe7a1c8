import test from 'ava';
import * as geographicSharding from '../../examples/geographic-sharding.js';
import * as byPatient from '../../examples/partition-by-patient.js';
import * as retentionByDate from '../../examples/retention-by-date.js';
import * as segmentsBySource from '../../examples/segments-by-source.js';
import { PATIENT, idsOf, send } from '../interceptors/fixtures.js';
import { started } from './fixtures.js';

const OBSERVATION = { resourceType: 'Observation', status: 'final', code: { text: 'weight' } };

test('segments-by-source: stored apart, read together, and references cross', async (t) => {
  const server = await started(t, segmentsBySource);
  t.is((await send(server, 'Patient/ann', { method: 'PUT', body: { ...PATIENT, id: 'ann' } })).status, 201);
  const own = { ...OBSERVATION, subject: { reference: 'Patient/ann' } };
  const made = [
    await send(server, 'Observation', { body: own }),
    await send(server, 'Observation', { body: { ...own, meta: { source: segmentsBySource.LABORATORY } } }),
  ];
  t.deepEqual(
    made.map(({ status }) => status),
    [201, 201],
  );
  const found = idsOf(await send(server, 'Observation?patient=ann'));
  t.deepEqual(found, made.map(({ body }) => String(body['id'])).toSorted());
});

test('geographic-sharding: a gateway sees its region, and without one everything is found', async (t) => {
  const server = await started(t, geographicSharding);
  const german = await send(server, 'Patient', {
    body: patientIn('DE'),
    headers: { 'x-region': 'americas' },
  });
  const brazilian = await send(server, 'Patient', { body: patientIn('BR') });
  const search = async (region?: string) =>
    idsOf(await send(server, 'Patient', region === undefined ? {} : { headers: { 'x-region': region } }));
  t.deepEqual(await search('europe'), [String(german.body['id'])]);
  t.deepEqual(await search('americas'), [String(brazilian.body['id'])]);
  t.is((await search()).length, 2);
  t.is((await send(server, 'Patient', { headers: { 'x-region': 'Europe' } })).status, 400);
  t.is((await send(server, 'Patient', { body: PATIENT })).status, 400);
});

test('partition-by-patient: what belongs to a patient is found by the patient', async (t) => {
  const server = await started(t, byPatient);
  t.is(
    (
      await send(server, 'Practitioner/kim', {
        method: 'PUT',
        body: { resourceType: 'Practitioner', id: 'kim' },
      })
    ).status,
    201,
  );
  t.is((await send(server, 'Patient/ann', { method: 'PUT', body: { ...PATIENT, id: 'ann' } })).status, 201);
  const body = {
    ...OBSERVATION,
    subject: { reference: 'Patient/ann' },
    performer: [{ reference: 'Practitioner/kim' }],
  };
  const made = await send(server, 'Observation', { body });
  t.is(made.status, 201);
  const found = idsOf(await send(server, 'Observation?patient=ann&_include=Observation:performer'));
  t.deepEqual(found, [String(made.body['id']), 'kim'].toSorted());
  t.deepEqual(idsOf(await send(server, 'Observation?patient=bob')), []);
});

test('retention-by-date: the date of an Observation is the one it was made on', async (t) => {
  const server = await started(t, retentionByDate);
  const resource = { ...OBSERVATION, effectiveDateTime: '2024-05-03T10:00:00Z' };
  t.is((await send(server, 'acme/Observation', { body: resource })).status, 201);
  const parameter = [
    { name: 'method', valueCode: 'POST' },
    { name: 'url', valueUri: 'Observation' },
    { name: 'tenant', valueString: 'acme' },
    { name: 'resource', resource },
  ];
  const explained = await send(server, '$partition-explain', {
    body: { resourceType: 'Parameters', parameter },
  });
  const answered = explained.body['parameter'] as readonly {
    readonly name: string;
    readonly valueDate?: string;
  }[];
  t.is(answered.find(({ name }) => name === 'date')?.valueDate, '2024-05-03');
});

function patientIn(country: string): object {
  return { ...PATIENT, address: [{ country }] };
}
