import test from 'ava';
import type { Parameters, ParametersParameter } from 'fhir/r4.js';
import { defineInterceptor } from '../../../src/hooks/interceptor.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';

const labs = defineInterceptor({
  name: 'labs',
  order: -10,
  hooks: {
    STORAGE_PARTITION_IDENTIFY_CREATE: ({ resource }) =>
      resource.resourceType === 'Observation'
        ? { by: 'name', names: ['lab'], date: '2024-05-01' }
        : undefined,
  },
});
const server = await createTestServer({ partitions: ['acme', 'lab'], interceptors: [labs] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

function explain(parameter: readonly object[], from = client) {
  return from.post<Parameters>('$partition-explain', { resourceType: 'Parameters', parameter });
}

function texts({ parameter }: Parameters, name: string): readonly (string | undefined)[] {
  return (parameter ?? []).filter((one) => one.name === name).map(textOf);
}

function textOf({ valueString, valueCode, valueDate, part }: ParametersParameter): string | undefined {
  return valueString ?? valueCode ?? valueDate ?? part?.map((one) => textOf(one)).join(' ');
}

test('it says who decides on a read, and which partition it is', async (t) => {
  const { status, body, text } = await explain([
    { name: 'url', valueString: 'Patient?name=x' },
    { name: 'tenant', valueString: 'acme' },
  ]);
  t.is(status, 200, text);
  t.deepEqual(texts(body, 'pointcut'), ['STORAGE_PARTITION_IDENTIFY_READ']);
  t.is(texts(body, 'decidedBy').length, 1);
  t.true(texts(body, 'partition')[0]?.includes('acme'));
});

test('it says who decides on a create, with the date, and who passed', async (t) => {
  const resource = { resourceType: 'Observation', status: 'final', code: { text: 'x' } };
  const { status, body, text } = await explain([
    { name: 'method', valueCode: 'POST' },
    { name: 'url', valueString: 'Observation' },
    { name: 'tenant', valueString: 'acme' },
    { name: 'resource', resource },
  ]);
  t.is(status, 200, text);
  t.is(texts(body, 'decidedBy')[0], 'labs');
  t.true(texts(body, 'partition')[0]?.includes('lab'));
  t.deepEqual(texts(body, 'date'), ['2024-05-01']);
});

test('an unknown tenant is 404 as it would be for the request itself', async (t) => {
  assertError(
    t,
    await explain([
      { name: 'url', valueString: 'Patient' },
      { name: 'tenant', valueString: 'nobody' },
    ]),
    404,
    'UNKNOWN_PARTITION',
  );
});

test('it is called on the server only', async (t) => {
  assertError(
    t,
    await explain([{ name: 'url', valueString: 'Patient' }], client.tenant('acme')),
    400,
    'INVALID_PARTITION',
  );
});

test('descriptions that cannot be are 400 or what the request would be answered', async (t) => {
  assertError(t, await explain([]), 400, 'INVALID_REQUEST');
  assertError(t, await explain([{ name: 'url', valueString: 'Patient?%zz' }]), 400, 'INVALID_REQUEST');
  assertError(
    t,
    await explain([
      { name: 'url', valueString: 'Patient' },
      { name: 'method', valueCode: 'POST' },
    ]),
    400,
    'INVALID_REQUEST',
  );
  assertError(
    t,
    await explain([
      { name: 'url', valueString: 'Patient' },
      { name: 'header', valueString: 'x' },
    ]),
    400,
    'INVALID_REQUEST',
  );
  assertError(
    t,
    await explain([
      { name: 'url', valueString: 'Patient' },
      { name: 'method', valueCode: 'BREW' },
    ]),
    405,
    'METHOD_NOT_ALLOWED',
  );
  assertError(
    t,
    await explain([
      { name: 'url', valueString: 'Patient' },
      { name: 'nonsense', valueString: 'x' },
    ]),
    400,
    'INVALID_REQUEST',
  );
});

test('nothing is stored of a described create', async (t) => {
  await explain([
    { name: 'method', valueCode: 'POST' },
    { name: 'url', valueString: 'Patient' },
    { name: 'tenant', valueString: 'acme' },
    { name: 'resource', resource: { resourceType: 'Patient' } },
  ]);
  t.is(await client.tenant('acme').count('Patient'), 0);
});
