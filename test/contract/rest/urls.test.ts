import test from 'ava';
import type { OperationOutcome } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { rawExchange } from '../support/raw-exchange.js';

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
const origin = new URL(server.url).origin;
test.after.always(() => server.stop());

/** Sends a path as it stands, which fetch would tidy up. */
function raw(path: string, method = 'GET', headers = '') {
  return rawExchange(
    server.url,
    `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`,
  );
}

test('an unknown type is 404 where it cannot be a tenant’s name, and an unknown tenant is 404', async (t) => {
  assertError(t, await client.tenant('acme').get('Nonsense'), 404, 'UNKNOWN_RESOURCE_TYPE');
  assertError(t, await client.tenant('acme').get('patient'), 404, 'UNKNOWN_RESOURCE_TYPE');
  assertError(t, await client.tenant('nobody').get('Patient'), 404, 'UNKNOWN_PARTITION');
  t.is((await client.get('Nonsense/1')).status, 404);
});

test('an unknown operation is 404 at every level', async (t) => {
  for (const path of [
    '$nonsense',
    'Patient/$nonsense',
    'Patient/1/$nonsense',
    'acme/$nonsense',
    'Patient/1/_history/1/$nonsense',
  ]) {
    assertError(t, await client.get(path), 404, 'UNKNOWN_OPERATION');
    assertError(t, await client.post(path, { resourceType: 'Parameters' }), 404, 'UNKNOWN_OPERATION');
  }
});

test('a method that does not fit is 405 with Allow', async (t) => {
  const cases: [string, string, string][] = [
    ['PUT', '', 'GET, HEAD, POST'],
    ['PATCH', 'metadata', 'GET, HEAD'],
    ['POST', 'metadata', 'GET, HEAD'],
    ['DELETE', '_history', 'GET, HEAD'],
    ['POST', 'Patient/1', 'GET, HEAD, PUT, PATCH, DELETE'],
    ['PUT', 'Patient/1/_history/1', 'GET, HEAD'],
    ['GET', 'Patient/_search', 'POST'],
    ['PUT', 'Patient/$validate', 'GET, HEAD, POST'],
    ['PUT', '$export', 'GET, POST'],
    ['HEAD', 'Patient/$export', 'GET, POST'],
    ['PATCH', 'Group/1/$export', 'GET, POST'],
    ['DELETE', 'Patient/1/$meta-add', 'POST'],
    ['POST', '$export-poll-status', 'GET, HEAD, DELETE'],
    ['PUT', '$export-file/1/Patient.1.ndjson', 'GET, HEAD'],
  ];
  for (const [method, path, allow] of cases) {
    const answer = await client.send(
      method,
      path,
      method === 'GET' || method === 'HEAD' ? {} : { body: { resourceType: 'Patient' } },
    );
    if (method === 'HEAD') t.is(answer.status, 405);
    else assertError(t, answer, 405, 'METHOD_NOT_ALLOWED');
    t.is(answer.headers.get('allow'), allow, `${method} ${path}`);
  }
});

test('unknown methods are 405 as well', async (t) => {
  for (const method of ['PROPFIND', 'TRACE', 'PURGE']) {
    const { status, headers, body } = await raw('/fhir/Patient', method);
    t.is(status, 405, method);
    t.true(headers.includes('\r\nallow: '));
    t.true(body.includes('METHOD_NOT_ALLOWED'));
  }
});

test('a GET of an operation that changes something is 405', async (t) => {
  const answer = await client.get('$partition-management-create-partition?name=x');
  assertError(t, answer, 405, 'METHOD_NOT_ALLOWED');
  t.is(answer.headers.get('allow'), 'POST');
});

test('ids that break the rules are 400, also when they hide an operation', async (t) => {
  for (const id of [
    'a_b',
    'a%20b',
    'x'.repeat(65),
    '%C3%A4',
    'a%2Fb',
    'a%00b',
    'a%5Cb',
    '..%2f..%2fetc',
    'a;b',
  ]) {
    assertError(t, await client.get(`Patient/${id}`), 400, 'INVALID_REQUEST');
  }
});

test('broken percent escapes are 400 in path and query', async (t) => {
  for (const path of [
    '/fhir/Patient/%',
    '/fhir/Patient/%zz',
    '/fhir/Patient/%c3',
    '/fhir/%/Patient',
    '/fhir/Patient?name=%',
    '/fhir/Patient?%zz=1',
    '/fhir/Patient?name=%ff',
    '/fhir/Patient?name=%00',
  ]) {
    const { status, body } = await raw(path);
    t.is(status, 400, path);
    t.is((JSON.parse(body) as OperationOutcome).issue[0]?.details?.coding?.[0]?.code, 'INVALID_REQUEST');
  }
});

test('empty and dotted path segments never reach another place', async (t) => {
  for (const path of [
    '/fhir//Patient',
    '/fhir/Patient//1',
    '/fhir/acme/../beta/Patient',
    '/fhir/acme/%2e%2e/beta/Patient',
    '/fhir/./Patient',
    '/fhir/Patient/..',
  ]) {
    const { status } = await raw(path);
    t.true(status === 400 || status === 404, `${path} ${status}`);
  }
});

test('a trailing slash makes no difference', async (t) => {
  t.is((await client.get('Patient/')).status, 200);
  t.is((await client.get('metadata/')).status, 200);
  t.is((await client.post(`${server.url}/`, { resourceType: 'Bundle', type: 'batch' })).status, 200);
});

test('what is outside of the base path is 404 with an OperationOutcome', async (t) => {
  for (const path of ['/', '/Patient', '/fhirx', '/favicon.ico', '/fhir2/Patient', '/%', '/%zz']) {
    const { status, body } = await raw(path);
    t.true(status === 404 || (status === 400 && path.includes('%')), `${path} ${status}`);
    t.is((JSON.parse(body) as OperationOutcome).resourceType, 'OperationOutcome');
  }
});

test('a URL that is too long is 414 or 431 with an OperationOutcome', async (t) => {
  const { status, body } = await raw(`/fhir/Patient?name=${'x'.repeat(100_000)}`);
  t.true(status === 414 || status === 431, String(status));
  t.is((JSON.parse(body) as OperationOutcome).resourceType, 'OperationOutcome');
  t.is((await raw(`/fhir/Patient?name=${'x'.repeat(8000)}`)).status, 200);
});

test('what is not HTTP is 400 with an OperationOutcome, and the server goes on', async (t) => {
  for (const request of [
    'NONSENSE\r\n\r\n',
    'GET /fhir/Patient HTTP/9.9\r\n\r\n',
    'GET  HTTP/1.1\r\n\r\n',
    'GET /fhir/Patient HTTP/1.1\r\nBad Header: x\r\n\r\n',
    'GET /fhir/Patient HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    '\u0016\u0003\u0001',
  ]) {
    const { status, body, headers } = await rawExchange(server.url, request, { end: true });
    t.is(status, 400, request);
    t.is((JSON.parse(body) as OperationOutcome).resourceType, 'OperationOutcome');
    t.true(headers.includes('x-request-id'));
  }
  t.is((await client.get('metadata')).status, 200);
});

test('no header is lost among many', async (t) => {
  const { id } = await client.createPatient();
  const many = Array.from({ length: 150 }, (_, index) => `X-Filler-${index}: 1\r\n`).join('');
  const { status } = await raw(`/fhir/Patient/${id}`, 'DELETE', `${many}If-Match: W/"9"\r\n`);
  t.is(status, 412);
});

test('X-Request-Id is echoed, and made where it is missing or unfit', async (t) => {
  t.is(
    (await client.get('metadata', { 'x-request-id': 'abc-1.2_3' })).headers.get('x-request-id'),
    'abc-1.2_3',
  );
  t.is((await client.get('Patient/never', { 'x-request-id': 'abc' })).headers.get('x-request-id'), 'abc');
  const made = (await client.get('metadata')).headers.get('x-request-id');
  t.regex(made ?? '', /^[0-9a-f-]{36}$/);
  for (const unfit of ['a b', 'x'.repeat(65), '<script>']) {
    t.regex(
      (await client.get('metadata', { 'x-request-id': unfit })).headers.get('x-request-id') ?? '',
      /^[0-9a-f-]{36}$/,
    );
  }
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    t.is(
      (await client.get(`${origin}${path}`, { 'x-request-id': 'probe' })).headers.get('x-request-id'),
      'probe',
      path,
    );
  }
});

test('every response forbids sniffing and shared caching', async (t) => {
  for (const path of ['metadata', 'Patient/never']) {
    const { headers } = await client.get(path);
    t.is(headers.get('x-content-type-options'), 'nosniff');
    t.true(headers.get('cache-control')?.includes('private'));
  }
});
