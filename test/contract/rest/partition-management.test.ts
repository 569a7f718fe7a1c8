import test from 'ava';
import type { OperationOutcome, Parameters, ParametersParameter } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { placementUnderTest } from '../../support/test-store.js';
import { assertError, FhirClient } from '../support/fhir-client.js';

const server = await createTestServer({ partitions: [{ id: 1, name: 'acme' }] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

/** What an answer says of a partition that is not with the others. */
const placement = placementUnderTest();
const PLACED = placement === 'shared' ? {} : { placement };

type Values = Readonly<Record<string, string | number | boolean>>;

function parametersOf(values: Values): Parameters {
  const parameter = Object.entries(values).map(([name, value]): ParametersParameter => {
    if (typeof value === 'number') return { name, valueInteger: value };
    if (typeof value === 'boolean') return { name, valueBoolean: value };
    return name === 'name' ? { name, valueCode: value } : { name, valueString: value };
  });
  return { resourceType: 'Parameters', ...(parameter.length === 0 ? {} : { parameter }) };
}

function call(operation: string, values: Values, from = client) {
  return from.post<Parameters>(`$partition-management-${operation}`, parametersOf(values));
}

function valuesOf(parameter: readonly ParametersParameter[] | undefined): Values {
  return Object.fromEntries(
    (parameter ?? []).map(({ name, valueInteger, valueCode, valueString }) => [
      name,
      valueInteger ?? valueCode ?? valueString ?? '',
    ]),
  );
}

test.serial('create answers with id, name and description, and the partition works at once', async (t) => {
  const { status, body } = await call('create-partition', {
    id: 100,
    name: 'site-100',
    description: 'One hundred',
  });
  t.is(status, 200);
  t.is(body.resourceType, 'Parameters');
  t.deepEqual(valuesOf(body.parameter), { id: 100, name: 'site-100', description: 'One hundred', ...PLACED });
  await client.tenant('site-100').createPatient();
});

test.serial('create without an id takes the next free one; negative ids may be chosen', async (t) => {
  const { body } = await call('create-partition', { name: 'unnumbered' });
  t.deepEqual(valuesOf(body.parameter), { id: 2, name: 'unnumbered', ...PLACED });
  const negative = await call('create-partition', { id: -5, name: 'negative' });
  t.is(negative.status, 200);
  t.is(valuesOf(negative.body.parameter)['id'], -5);
});

test.serial('names and ids that are taken are 409', async (t) => {
  assertError(t, await call('create-partition', { name: 'acme' }), 409, 'PARTITION_EXISTS');
  assertError(t, await call('create-partition', { id: 1, name: 'other' }), 409, 'PARTITION_EXISTS');
});

test.serial('names that are reserved, malformed or differ in letter case alone are 400', async (t) => {
  for (const name of [
    'DEFAULT',
    'default',
    '_ALL',
    '_all',
    'metadata',
    'Patient',
    '_x',
    '$x',
    '.x',
    'a b',
    'a/b',
    'ä',
    '',
    'x'.repeat(201),
    'ACME',
  ]) {
    assertError(t, await call('create-partition', { name }), 400, 'INVALID_PARTITION');
  }
});

test.serial('ids that cannot be, and a missing name, are 400', async (t) => {
  for (const id of [0, 2 ** 31, -(2 ** 31) - 1]) {
    assertError(t, await call('create-partition', { id, name: `n${id}` }), 400, 'INVALID_PARTITION');
  }
  t.is((await call('create-partition', { id: 'x', name: 'n' })).status, 400);
  t.is((await call('create-partition', { id: 1.5, name: 'n' })).status, 400);
  assertError(t, await call('create-partition', { id: 7 }), 400, 'INVALID_PARTITION');
  t.is((await call('create-partition', { name: 'n', nonsense: 'x' })).status, 400);
  t.is(
    (await client.post('$partition-management-create-partition', { resourceType: 'Patient' })).status,
    400,
  );
});

test.serial('read finds by id or by name, by POST and by GET', async (t) => {
  const expected = { id: 1, name: 'acme', placement };
  t.deepEqual(valuesOf((await call('read-partition', { id: 1 })).body.parameter), expected);
  t.deepEqual(valuesOf((await call('read-partition', { name: 'acme' })).body.parameter), expected);
  t.deepEqual(
    valuesOf((await client.get<Parameters>('$partition-management-read-partition?id=1')).body.parameter),
    expected,
  );
  t.deepEqual(valuesOf((await call('read-partition', { name: 'DEFAULT' })).body.parameter), {
    id: 0,
    name: 'DEFAULT',
    placement: 'shared',
  });
  assertError(t, await call('read-partition', { id: 999 }), 404, 'UNKNOWN_PARTITION');
  assertError(t, await call('read-partition', { name: 'nobody' }), 404, 'UNKNOWN_PARTITION');
  assertError(t, await call('read-partition', {}), 400, 'INVALID_PARTITION');
  t.is((await client.get('$partition-management-read-partition?id=x')).status, 400);
});

test.serial('update renames at once, and clears a description that is left out', async (t) => {
  await call('create-partition', { id: 200, name: 'before', description: 'x' });
  const patient = await client.tenant('before').createPatient();
  const { status, body } = await call('update-partition', { id: 200, name: 'after' });
  t.is(status, 200);
  t.deepEqual(valuesOf(body.parameter), { id: 200, name: 'after', ...PLACED });
  t.is((await client.tenant('after').get(`Patient/${patient.id}`)).status, 200);
  assertError(t, await client.tenant('before').get(`Patient/${patient.id}`), 404, 'UNKNOWN_PARTITION');
});

test.serial('update refuses what create refuses, and DEFAULT', async (t) => {
  assertError(t, await call('update-partition', { id: 999, name: 'x' }), 404, 'UNKNOWN_PARTITION');
  assertError(t, await call('update-partition', { id: 100, name: 'acme' }), 409, 'PARTITION_EXISTS');
  assertError(t, await call('update-partition', { id: 100, name: 'Patient' }), 400, 'INVALID_PARTITION');
  assertError(t, await call('update-partition', { id: 0, name: 'x' }), 400, 'INVALID_PARTITION');
  assertError(t, await call('update-partition', { name: 'x' }), 400, 'INVALID_PARTITION');
  assertError(t, await call('update-partition', { id: 100 }), 400, 'INVALID_PARTITION');
  t.is((await call('update-partition', { id: 100, name: 'SITE-100' })).status, 200);
});

test.serial('list names all, DEFAULT first, by POST and by GET', async (t) => {
  for (const answer of [
    await call('list-partitions', {}),
    await client.get<Parameters>('$partition-management-list-partitions'),
  ]) {
    t.is(answer.status, 200);
    const partitions = (answer.body.parameter ?? [])
      .filter(({ name }) => name === 'partition')
      .map(({ part }) => valuesOf(part));
    t.deepEqual(partitions[0], { id: 0, name: 'DEFAULT', placement: 'shared' });
    t.true(partitions.some(({ id, name }) => id === 1 && name === 'acme'));
  }
});

test.serial(
  'delete of an empty partition works; one that holds anything, even a deleted resource, is 409 with counts',
  async (t) => {
    await call('create-partition', { id: 300, name: 'empty' });
    t.is((await call('delete-partition', { id: 300 })).status, 200);
    assertError(t, await client.tenant('empty').get('Patient'), 404, 'UNKNOWN_PARTITION');
    await call('create-partition', { id: 301, name: 'full' });
    const { id } = await client.tenant('full').createPatient();
    await client.tenant('full').delete(`Patient/${id}`);
    const answer = await client.post<OperationOutcome>(
      '$partition-management-delete-partition',
      parametersOf({ id: 301 }),
    );
    assertError(t, answer, 409, 'PARTITION_NOT_EMPTY');
    t.regex(answer.body.issue[0]?.diagnostics ?? '', /\d/);
    t.is((await client.tenant('full').get(`Patient/${id}/_history`)).status, 200);
  },
);

test.serial(
  'delete refuses DEFAULT, unknown and malformed ids, and a purge that is no boolean',
  async (t) => {
    assertError(t, await call('delete-partition', { id: 0 }), 400, 'INVALID_PARTITION');
    assertError(t, await call('delete-partition', { id: 999 }), 404, 'UNKNOWN_PARTITION');
    assertError(t, await call('delete-partition', {}), 400, 'INVALID_PARTITION');
    assertError(t, await call('delete-partition', { id: 1, purge: 'maybe' }), 400, 'INVALID_PARTITION');
  },
);

test.serial('under DEFAULT they work, under another tenant they are 400', async (t) => {
  t.is((await call('list-partitions', {}, client.tenant('DEFAULT'))).status, 200);
  for (const operation of [
    'create-partition',
    'read-partition',
    'update-partition',
    'delete-partition',
    'list-partitions',
  ]) {
    assertError(
      t,
      await call(operation, { id: 1, name: 'x' }, client.tenant('acme')),
      400,
      'INVALID_PARTITION',
    );
  }
});

test.serial(
  'of 16 creates of the same name at once one succeeds, and ids given by the server never collide',
  async (t) => {
    const same = await Promise.all(
      Array.from({ length: 16 }, () => call('create-partition', { name: 'wanted' })),
    );
    t.is(same.filter(({ status }) => status === 200).length, 1);
    t.is(same.filter(({ status }) => status === 409).length, 15);
    const many = await Promise.all(
      Array.from({ length: 16 }, (_, index) => call('create-partition', { name: `many-${index}` })),
    );
    t.true(
      many.every(({ status }) => status === 200),
      many.map(({ status }) => status).join(),
    );
    t.is(new Set(many.map(({ body }) => valuesOf(body.parameter)['id'])).size, 16);
  },
);

test('where every integer is a partition, partitions are not managed: 405', async (t) => {
  const unnamed = await createTestServer({ settings: { unnamedPartitions: true } });
  try {
    const answer = await call('list-partitions', {}, new FhirClient(unnamed.url));
    assertError(t, answer, 405, 'METHOD_NOT_ALLOWED');
  } finally {
    await unnamed.stop();
  }
});
