import test from 'ava';
import type { CapabilityStatement, OperationOutcome } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';

const server = await createTestServer({
  partitions: ['acme'],
  settings: { corsOrigins: ['https://app.example'] },
});
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

async function operationsOf(from: FhirClient): Promise<readonly string[]> {
  const { body } = await from.get<CapabilityStatement>('metadata');
  return body.rest?.[0]?.operation?.map(({ name }) => name) ?? [];
}

test('the capability statement is valid, of R4, and has the base URL of the tenant that asks', async (t) => {
  for (const from of [client, client.tenant('acme')]) {
    const { status, body } = await from.get<CapabilityStatement>('metadata');
    t.is(status, 200);
    t.is(body.fhirVersion, '4.0.1');
    t.is(body.kind, 'instance');
    t.is(body.implementation?.url, from.base);
    t.true(body.format.includes('json'));
    const outcome = await client.post<OperationOutcome>('CapabilityStatement/$validate', body);
    t.deepEqual(
      outcome.body.issue.filter(({ severity }) => severity === 'error'),
      [],
    );
  }
});

test('the capability statement of an unknown tenant is 404', async (t) => {
  assertError(t, await client.tenant('nobody').get('metadata'), 404, 'UNKNOWN_PARTITION');
});

test('the capability statement names types, interactions, search parameters and operations', async (t) => {
  const { body } = await client.get<CapabilityStatement>('metadata');
  const [rest] = body.rest ?? [];
  t.is(rest?.mode, 'server');
  t.deepEqual(rest?.interaction?.map(({ code }) => code).toSorted(), [
    'batch',
    'history-system',
    'search-system',
    'transaction',
  ]);
  t.is(rest?.compartment?.length, 5);
  const patient = rest?.resource?.find(({ type }) => type === 'Patient');
  t.true(patient?.interaction?.some(({ code }) => code === 'patch'));
  t.true(patient?.searchParam?.some(({ name, type }) => name === 'birthdate' && type === 'date'));
  t.true(patient?.operation?.some(({ name }) => name === 'validate'));
  t.is(patient?.operation?.filter(({ name }) => name === 'everything').length, 1);
  t.is(patient?.versioning, 'versioned-update');
  t.true(patient?.conditionalCreate);
  t.true(patient?.conditionalUpdate);
  t.is(patient?.conditionalDelete, 'single');
  t.is(rest?.resource?.length, 146);
});

test('operations that manage partitions are named where they can be called', async (t) => {
  t.true((await operationsOf(client)).includes('partition-management-list-partitions'));
  t.true((await operationsOf(client.tenant('DEFAULT'))).includes('partition-management-list-partitions'));
  t.false((await operationsOf(client.tenant('acme'))).includes('partition-management-list-partitions'));
  t.true((await operationsOf(client.tenant('acme'))).includes('meta'));
});

test('_summary and _elements shape the capability statement', async (t) => {
  const { body } = await client.get<CapabilityStatement>('metadata?_elements=fhirVersion');
  t.is(body.fhirVersion, '4.0.1');
  t.is(body.rest, undefined);
});

test('a page of an allowed origin may use the API: preflight and headers', async (t) => {
  const origin = 'https://app.example';
  const preflight = await client.send('OPTIONS', 'acme/Patient', {
    headers: {
      origin,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'if-match, prefer',
    },
  });
  t.is(preflight.status, 204);
  t.is(preflight.headers.get('access-control-allow-origin'), origin);
  t.true(preflight.headers.get('access-control-allow-methods')?.includes('PATCH'));
  t.true(preflight.headers.get('access-control-allow-headers')?.includes('if-match'));
  t.truthy(preflight.headers.get('x-request-id'));
  const answer = await client.get('metadata', { origin });
  t.is(answer.headers.get('access-control-allow-origin'), origin);
  t.true(answer.headers.get('access-control-expose-headers')?.includes('Location'));
  t.true(answer.headers.get('vary')?.includes('Origin'));
  t.true(answer.headers.get('vary')?.includes('Accept'));
  const failed = await client.get('Patient/never', { origin });
  t.is(failed.headers.get('access-control-allow-origin'), origin);
});

test('a page of another origin gets no permission', async (t) => {
  const { headers } = await client.get('metadata', { origin: 'https://evil.example' });
  t.is(headers.get('access-control-allow-origin'), null);
  t.true(headers.get('vary')?.includes('Origin'));
});

test('OPTIONS without an origin is answered with the methods', async (t) => {
  const answer = await client.send('OPTIONS', 'Patient');
  t.is(answer.status, 204);
  t.true(answer.headers.get('allow')?.includes('GET'));
});
