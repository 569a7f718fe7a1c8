import test from 'ava';
import type { OperationOutcome } from 'fhir/r4.js';
import { assertError } from '../support/fhir-client.js';
import {
  ASYNC,
  exported,
  kickOff,
  locationOf,
  observationOf,
  openExportServer,
  patientOf,
  store,
} from './fixtures.js';

const { server, acme } = await openExportServer();
test.before(async () => {
  await store(
    acme,
    patientOf('a', { gender: 'female', birthDate: '1980-01-01', active: true }),
    patientOf('b', { gender: 'male', birthDate: '1990-01-01' }),
    observationOf('o1', 'a', { status: 'final', effectiveDateTime: '2026-01-01T00:30:00+02:00' }),
    observationOf('o2', 'a', { status: 'amended' }),
    observationOf('o3', 'b', { status: 'cancelled' }),
    { resourceType: 'Practitioner', id: 'dr', active: true },
  );
});
test.after.always(() => server.stop());

function parameter(name: string, value: object): object {
  return { name, ...value };
}

test('a Parameters body asks for the same as a query, under both types of content', async (t) => {
  const parameters = [
    parameter('_type', { valueString: 'Patient' }),
    parameter('_type', { valueString: 'Observation' }),
    parameter('_outputFormat', { valueString: 'ndjson' }),
    parameter('_typeFilter', { valueString: 'Observation?status=final' }),
    parameter('_since', { valueInstant: '2020-01-01T00:00:00Z' }),
  ];
  const json = { 'content-type': 'application/json' };
  const expected = ['Observation/o1', 'Patient/a', 'Patient/b'];
  t.deepEqual((await exported(acme, '$export', parameters)).output, expected);
  t.deepEqual((await exported(acme, '$export', parameters, json)).output, expected);
  const query =
    '_type=Patient%2CObservation&_outputFormat=application/fhir+ndjson&_typeFilter=Observation?status=final';
  const { output, manifest } = await exported(acme, `$export?${query}&_since=2020-01-01T00:00:00+00:00`);
  t.deepEqual(output, expected);
  t.true(manifest.request.startsWith(`${acme.base}/$export?_type=Patient%2CObservation`));
});

test('a body that is empty asks for everything, one that is no Parameters is refused', async (t) => {
  const empty = await acme.send('POST', '$export', { headers: ASYNC });
  t.is(empty.status, 202);
  t.is((await acme.delete(locationOf(empty))).status, 202);
  assertError(t, await acme.post('$export', patientOf('x'), ASYNC), 400, 'INVALID_REQUEST');
  assertError(t, await acme.post('$export', '{"parameter": []}', ASYNC), 400, 'INVALID_REQUEST');
});

test('who asks for headers alone starts nothing', async (t) => {
  for (const path of ['$export', 'Patient/$export', 'Group/none/$export']) {
    const { status, headers } = await acme.send('HEAD', path, { headers: ASYNC });
    t.is(status, 405, path);
    t.is(headers.get('allow'), 'GET, POST');
    t.is(headers.get('content-location'), null);
  }
});

test('types and elements that are named by nothing are not all of them', async (t) => {
  for (const query of ['_type=', '_type=,', '_elements=', '_type=Patient&_elements=,']) {
    const name = query.includes('_elements') ? /_elements/ : /_type/;
    for (const headers of [ASYNC, { prefer: 'respond-async, handling=lenient' }]) {
      const refused = await acme.get(`$export?${query}`, headers);
      assertError(t, refused, 400, 'INVALID_REQUEST');
      t.regex(refused.text, name, query);
    }
  }
  const types = [parameter('_type', { valueString: '' }), parameter('_type', { valueString: 'Patient' })];
  t.deepEqual((await exported(acme, '$export', types)).output, ['Patient/a', 'Patient/b']);
});

test('filters of a type are alternatives, each with everything that a search can ask for', async (t) => {
  const filters = [
    'Observation?status=final',
    'Observation?subject:Patient.birthdate=gt1985-01-01',
    'Patient?_id=a,x',
  ];
  const query = filters.map((filter) => `_typeFilter=${encodeURIComponent(filter)}`).join('&');
  const { output } = await exported(acme, `$export?_type=Observation,Patient&${query}`);
  t.deepEqual(output, ['Observation/o1', 'Observation/o3', 'Patient/a']);
  const two = encodeURIComponent('Observation?status=final,amended,Patient?gender=male');
  t.deepEqual((await exported(acme, `$export?_type=Observation,Patient&_typeFilter=${two}`)).output, [
    'Observation/o1',
    'Observation/o2',
    'Patient/b',
  ]);
});

test('a time zone in a filter survives being decoded twice', async (t) => {
  const at = '2026-01-01T00:30:00+02:00';
  for (const filter of [
    `Observation?date=${encodeURIComponent(at)}`,
    encodeURIComponent(`Observation?date=${at}`),
    encodeURIComponent(`Observation?date=${encodeURIComponent(at)}`),
  ]) {
    const { output } = await exported(acme, `$export?_type=Observation&_typeFilter=${filter}`);
    t.deepEqual(output, ['Observation/o1'], filter);
  }
});

test('a filter that a search would refuse is refused by the name of what is wrong', async (t) => {
  const unknown = await kickOff(acme, '$export?_typeFilter=Observation?colour=red');
  assertError(t, unknown, 400, 'UNKNOWN_SEARCH_PARAMETER');
  t.regex(unknown.text, /colour/);
  for (const result of [
    '_sort=date',
    '_include=Observation:subject',
    '_count=1',
    '_elements=id',
    '_summary=true',
    '_total=none',
    '_contained=true',
    '_format=json',
    '_pretty=true',
  ]) {
    const answer = await kickOff(acme, `$export?_typeFilter=${encodeURIComponent(`Observation?${result}`)}`);
    assertError(t, answer, 400, 'INVALID_REQUEST');
    t.regex(answer.text, new RegExp(result.split('=')[0]!));
  }
});

test('lenient handling leaves out what is not supported, and says so in the manifest', async (t) => {
  const query =
    '_type=Patient,Nothing&_typo=1&_typeFilter=Patient?colour=red%26gender=male%26_format=xml&organizeOutputBy=Organization';
  const { output, errors } = await exported(acme, `$export?${query}`, undefined, {
    prefer: 'respond-async,handling=lenient',
  });
  t.deepEqual(output, ['Patient/b']);
  t.is(errors.length, 5);
  for (const name of ['_typo', 'Nothing', 'colour', '_format', 'organizeOutputBy'])
    t.regex(errors.join(), new RegExp(name));
});

test('elements are chosen, mandatory ones stay, and the resource says that it is not whole', async (t) => {
  const { resources } = await exported(acme, '$export?_type=Observation,Patient&_elements=Patient.gender,id');
  const patient = resources.find(({ id }) => id === 'a') as unknown as Record<string, unknown>;
  t.deepEqual(Object.keys(patient).toSorted(), ['gender', 'id', 'meta', 'resourceType']);
  const observation = resources.find(({ id }) => id === 'o1') as unknown as Record<string, unknown>;
  t.deepEqual(Object.keys(observation).toSorted(), ['code', 'id', 'meta', 'resourceType', 'status']);
  t.deepEqual(
    (observation['meta'] as { tag: { code: string }[] }).tag.map(({ code }) => code),
    ['SUBSETTED'],
  );
});

test('what cannot be exported is refused before there is a job', async (t) => {
  const bad = [
    '_type=Nothing',
    '_typo=1',
    '_outputFormat=text/csv',
    '_since=2099-01-01T00:00:00Z',
    '_since=soon',
    '_elements=Patient.nothing',
    'includeAssociatedData=_custom',
    'organizeOutputBy=Organization',
    'allowPartialManifests=maybe',
    'patient=Patient/a',
    '_type=Patient&_typeFilter=Observation?status=final',
  ];
  for (const query of bad) {
    const answer = await kickOff(acme, `$export?${query}`);
    t.is(answer.status, 400, query);
    t.is((answer.body as OperationOutcome).resourceType, 'OperationOutcome');
  }
  t.is((await kickOff(acme, 'Patient/$export?_type=Practitioner')).status, 400);
});

test('a tenant has as many exports under way as the settings allow', async (t) => {
  const small = await openExportServer({ settings: { exportWorkers: 0, exportMaxPerPartition: 2 } });
  t.teardown(() => small.server.stop());
  const started = await Promise.all([1, 2, 3, 4].map(() => kickOff(small.acme, '$export')));
  const statuses = started.map(({ status }) => status).toSorted();
  t.deepEqual(statuses, [202, 202, 429, 429]);
  const refused = started.find(({ status }) => status === 429)!;
  assertError(t, refused, 429, 'TOO_MANY_REQUESTS');
  t.regex(refused.headers.get('retry-after') ?? '', /^\d+$/);
  t.is((await kickOff(small.beta, '$export')).status, 202);
  const location = locationOf(started.find(({ status }) => status === 202)!);
  await small.acme.delete(location);
  t.is((await kickOff(small.acme, '$export')).status, 202);
});

test('the CapabilityStatement names the operations', async (t) => {
  interface Operations {
    readonly operation?: readonly { readonly name: string; readonly definition: string }[];
  }
  const { body } = await acme.get<{ rest: (Operations & { resource: (Operations & { type: string })[] })[] }>(
    'metadata',
  );
  const [rest] = body.rest;
  const definition = 'http://hl7.org/fhir/uv/bulkdata/OperationDefinition';
  const has = (place: Operations | undefined, name: string): boolean =>
    t.true(place?.operation?.some((one) => one.name === name && one.definition === `${definition}/${name}`));
  has(rest, 'export');
  has(
    rest?.resource.find(({ type }) => type === 'Patient'),
    'patient-export',
  );
  has(
    rest?.resource.find(({ type }) => type === 'Group'),
    'group-export',
  );
});
