import test from 'ava';
import { FhirError } from '../../../src/index.js';
import { assertError } from '../support/fhir-client.js';
import { JSON_PATCH, observationOf, PATIENT } from '../hooks/fixtures.js';
import { eventsAfter, eventsOf, openAudited, queryOf, shapeOf } from './audit-fixtures.js';

const OBSERVATION = { ...observationOf('Patient/p1'), id: 'o1' };
const DOCTOR = { system: 'https://issuer.example', user: 'dr-1', client: 'app', tokenId: 'jti-1' };
const PATCH = JSON.stringify([{ op: 'add', path: '/status', value: 'amended' }]);

test('every interaction has one event, in the shape of its profile', async (t) => {
  const { acme } = await openAudited(t);
  const events = await eventsAfter(acme, async () => {
    await acme.put('Patient/p1', PATIENT);
    await acme.put('Observation/o1', OBSERVATION);
    await acme.put('Observation/o1', { ...OBSERVATION, status: 'preliminary' });
    await acme.send('PATCH', 'Observation/o1', { body: PATCH, headers: JSON_PATCH });
    await acme.get('Observation/o1');
    await acme.get('Observation/o1/_history/1');
    await acme.get('Observation/o1/_history');
    await acme.get('Observation?code:text=x');
    await acme.get('Patient/p1/$everything');
    await acme.delete('Observation/o1');
    await acme.post('Organization', { resourceType: 'Organization', name: 'x', id: 'g1' });
    await acme.get('Observation/none');
  });
  const organization = events.at(-2)?.entity?.at(-1)?.what?.reference;
  t.deepEqual(events.map(shapeOf), [
    ['C', 'create', '0', 'PatientCreate', 'Patient/p1/_history/1', 'patient Patient/p1'],
    ['C', 'create', '0', 'PatientCreate', 'Observation/o1/_history/1', 'patient Patient/p1'],
    ['U', 'update', '0', 'PatientUpdate', 'Observation/o1/_history/2', 'patient Patient/p1'],
    ['U', 'patch', '0', 'PatientUpdate', 'Observation/o1/_history/3', 'patient Patient/p1'],
    ['R', 'read', '0', 'PatientRead', 'Observation/o1', 'patient Patient/p1'],
    ['R', 'vread', '0', 'PatientRead', 'Observation/o1/_history/1', 'patient Patient/p1'],
    ['R', 'history-instance', '0', 'PatientRead', 'Observation/o1', 'patient Patient/p1'],
    ['E', 'search-type', '0', 'PatientQuery', 'patient Patient/p1'],
    ['E', 'operation $everything', '0', undefined, 'Patient/p1', 'patient Patient/p1'],
    ['D', 'delete', '0', 'PatientDelete', 'Observation/o1/_history/3', 'patient Patient/p1'],
    ['C', 'create', '0', 'Create', organization],
    ['R', 'read', '4', undefined, '(Observation/none)'],
  ]);
  t.is(queryOf(events[7]!), `GET ${acme.base}/Observation?code%3Atext=x`);
  t.is(events.at(-1)?.outcomeDesc, 'NOT_FOUND');
});

test('events are valid, name the request and its ends, and hold no content', async (t) => {
  const { acme } = await openAudited(t);
  const headers = { 'x-request-id': 'asked-1', authorization: 'Bearer secret-token' };
  await acme.put('Patient/p1', { ...PATIENT, name: [{ family: 'Okafor' }] }, headers);
  await acme.get('Patient?family=okafor&access_token=secret-token', headers);
  await acme.get('Patient/p1', headers);
  const events = await eventsOf(acme);
  t.is(events.length, 3);
  t.false(JSON.stringify(events).includes('Okafor'));
  for (const event of events) {
    const { meta: _meta, ...content } = event;
    const validated = await acme.post('AuditEvent/$validate', content);
    t.deepEqual(
      validated.body.issue.filter(({ severity }) => severity === 'error'),
      [],
    );
    t.false((queryOf(event) ?? '').includes('secret-token'));
    t.is(event.entity?.[0]?.what?.identifier?.value, 'asked-1');
    t.is(event.source.site, 'acme');
    t.truthy(event.agent.find(({ network }) => network?.type === '2')?.network?.address);
  }
});

test('each tenant finds the events of its own data alone', async (t) => {
  const { acme, beta, root } = await openAudited(t);
  await acme.put('Patient/p1', PATIENT);
  await acme.get('Patient/p1');
  t.deepEqual(await eventsOf(beta), []);
  await beta.get('Patient/p1');
  t.deepEqual((await eventsOf(beta)).map(shapeOf), [
    ['E', 'search-type', '0', 'Query'],
    ['R', 'read', '4', undefined, '(Patient/p1)'],
  ]);
  t.is((await eventsOf(acme)).length, 2);
  await root.get('_ALL/Patient');
  const { body } = await root.tenant('DEFAULT').get<{ total: number }>('AuditEvent?_summary=count');
  t.is(body.total, 1, 'what is asked of all partitions is told in DEFAULT');
  t.false(JSON.stringify(await eventsOf(root.tenant('DEFAULT'))).includes('Patient/p1'));
});

test('events are found by patient, entity, agent and date, after the patient was deleted too', async (t) => {
  const { acme } = await openAudited(t, { whoOf: () => DOCTOR });
  await acme.put('Patient/p1', PATIENT);
  await acme.put('Observation/o1', OBSERVATION);
  await acme.delete('Observation/o1');
  t.is((await acme.delete('Patient/p1')).status, 204, 'events hold nothing that they refer to');
  t.is((await acme.get('Patient/p1')).status, 410);
  const found = async (query: string) => (await eventsOf(acme, `&${query}&type=rest`)).map(shapeOf);
  t.is((await found('patient=Patient/p1&action=C,U,D')).length, 4);
  t.is((await found('patient=p1&action=D')).length, 2);
  t.deepEqual(
    (await found('entity=Observation/o1')).map(([action]) => action),
    ['C', 'D'],
  );
  t.is((await found('agent:identifier=https://issuer.example|dr-1&action=C')).length, 2);
  t.is((await found('altid=dr-1&action=C')).length, 2);
  t.is((await found('policy=jti-1&action=C')).length, 2);
  t.is((await found('date=gt2020-01-01&action=C')).length, 2);
  t.is((await found('date=lt2020-01-01&action=C')).length, 0);
});

test('a change and its event are stored together, or neither is', async (t) => {
  const refuse = {
    name: 'refuse',
    hooks: {
      STORAGE_PRECOMMIT_RESOURCE_CREATED: ({
        request,
      }: {
        request: { headers: ReadonlyMap<string, unknown> };
      }) => {
        if (request.headers.has('x-late')) throw new FhirError('FORBIDDEN', 'too late');
      },
    },
  };
  const { acme } = await openAudited(t, {}, { interceptors: [refuse] });
  const late = { 'x-late': '1' };
  const entry = ['p1', 'p2'].map((id) => ({
    resource: { ...PATIENT, id },
    request: { method: 'PUT', url: `Patient/${id}` },
  }));
  const events = await eventsAfter(acme, async () => {
    assertError(t, await acme.put('Patient/p1', PATIENT, late), 403, 'FORBIDDEN');
    const transaction = { resourceType: 'Bundle', type: 'transaction', entry };
    assertError(t, await acme.post('', transaction, late), 403, 'FORBIDDEN');
  });
  t.is(await acme.count('Patient'), 0);
  t.deepEqual(events.map(shapeOf), [
    ['U', 'update', '4', undefined, '(Patient/p1)'],
    ['E', 'transaction', '4', undefined],
  ]);
});

test('entries of batches and transactions have an event each', async (t) => {
  const { acme } = await openAudited(t);
  const entry = [
    { resource: PATIENT, request: { method: 'PUT', url: 'Patient/p1' } },
    { request: { method: 'GET', url: 'Patient?gender=female' } },
    { request: { method: 'DELETE', url: 'Patient/never' } },
  ];
  for (const type of ['batch', 'transaction']) {
    const events = await eventsAfter(acme, () => acme.post('', { resourceType: 'Bundle', type, entry }));
    const shapes = events.map((event) => shapeOf(event).slice(0, 3).join(' '));
    const written = type === 'batch' ? 'C create 0' : 'U update 0';
    t.deepEqual(shapes.toSorted(), ['D delete 0', 'E search-type 0', written].toSorted(), type);
  }
});

test('an event names so many patients, and tells how many more there were', async (t) => {
  const { acme } = await openAudited(t, { mostPatients: 2 });
  const entry = ['a', 'b', 'c', 'd', 'e'].map((id) => ({
    resource: { ...PATIENT, id },
    request: { method: 'PUT', url: `Patient/${id}` },
  }));
  await acme.post('', { resourceType: 'Bundle', type: 'transaction', entry });
  const [event] = await eventsAfter(acme, () => acme.get('Patient?_sort=_id'));
  t.deepEqual(shapeOf(event!), ['E', 'search-type', '0', 'Query', 'patient Patient/a', 'patient Patient/b']);
  t.is(event?.outcomeDesc, '3 further patients');
});
