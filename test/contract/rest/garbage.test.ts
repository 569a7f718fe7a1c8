import test from 'ava';
import fc from 'fast-check';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient, uniqueValue } from '../support/fhir-client.js';
import { rawExchange } from '../support/raw-exchange.js';

const server = await createTestServer({ contents: 'search-parameters', partitions: ['acme'] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

const RUNS = 150;
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];
const SEGMENTS = [
  'Patient',
  'Observation',
  'Bundle',
  'Binary',
  'Parameters',
  'ValueSet',
  'acme',
  '_ALL',
  'DEFAULT',
  '_history',
  '_search',
  '$meta',
  '$meta-add',
  '$validate',
  '$partition-explain',
  '$partition-management-read-partition',
  '$nonsense',
  'metadata',
  '1',
  '%00',
  '%ff',
  '..',
  '',
  '*',
  'a b',
];
const QUERIES = [
  '',
  '?',
  '?name=x',
  '?_id=',
  '?_count=-1',
  '?_count=99999999999',
  '?_sort=nonsense',
  '?_include=*',
  '?_include=Patient:',
  '?identifier=|',
  '?birthdate=ge',
  '?_page=x',
  '?_since=x',
  '?_elements=,',
  '?_summary=x',
  '?_has:a:b:c=d',
  '?subject:Patient.name=x',
  '?name:exact:exact=x',
  '?=x',
  '?&&',
  '?_format=xml',
  '?value-quantity=1||',
  '?_lastUpdated=9999999',
  '?_tag=%00',
  '?date=0000',
  '?_text=x',
  '?_filter=x',
  '?code:in=x',
  '?near=x',
];
const HEADERS = [
  {},
  { 'if-match': '"' },
  { 'if-none-match': 'W/' },
  { 'if-none-exist': '=' },
  { 'if-none-exist': 'identifier=x' },
  { 'if-modified-since': 'x' },
  { prefer: ';;=' },
  { accept: ';' },
  { 'content-type': ';' },
  { 'content-type': 'application/json-patch+json' },
  { 'x-request-id': '\u00e4' },
  { 'content-encoding': 'gzip' },
  { origin: 'null' },
];

const request = fc.record({
  method: fc.constantFrom(...METHODS),
  path: fc
    .array(fc.constantFrom(...SEGMENTS), { maxLength: 5 })
    .map((segments) => segments.map(encodeLoosely).join('/')),
  query: fc.constantFrom(...QUERIES),
  headers: fc.constantFrom(...HEADERS),
});

function encodeLoosely(segment: string): string {
  return segment.replaceAll(' ', '%20');
}

/** JSON that is nearly a resource: right names in wrong places. */
const NAMES = [
  'resourceType',
  'id',
  'meta',
  'name',
  'identifier',
  'entry',
  'request',
  'resource',
  'type',
  'method',
  'url',
  'fullUrl',
  'reference',
  'subject',
  'parameter',
  'part',
  'op',
  'path',
  'value',
  'valueMeta',
  'contained',
  'extension',
  'text',
  'div',
  'status',
  'code',
  'tag',
  'profile',
];
const VALUES = [
  'Patient',
  'Observation',
  'Bundle',
  'Parameters',
  'batch',
  'transaction',
  'POST',
  'PUT',
  'GET',
  'Patient/1',
  'Patient?name=x',
  'urn:uuid:x',
  '#x',
  'add',
  '/name/0',
  'Patient.name',
  'operation',
  'meta',
  'http://x/Patient/1',
  '<div>',
];
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(
      fc.constantFrom(...VALUES),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    ),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie('json'), { maxKeys: 5 }),
  ),
}));

async function statusOf(
  method: string,
  path: string,
  sent: Parameters<FhirClient['send']>[2],
): Promise<number> {
  try {
    return (await client.send(method, path, sent)).status;
  } catch (error) {
    // The client itself refuses what it cannot send.
    if (error instanceof TypeError && error.cause === undefined) return 0;
    throw error;
  }
}

test('garbage in methods, paths, queries and headers is never answered with 500', async (t) => {
  await fc.assert(
    fc.asyncProperty(request, fc.boolean(), async ({ method, path, query, headers }, hasBody) => {
      const body =
        hasBody && method !== 'GET' && method !== 'HEAD' ? { body: '{"resourceType":"Patient"}' } : {};
      return (await statusOf(method, `${path}${query}`, { ...body, headers })) !== 500;
    }),
    { numRuns: RUNS * 3 },
  );
  t.pass();
});

const TARGETS: readonly (readonly [string, string])[] = [
  ['POST', ''],
  ['POST', 'Patient'],
  ['PUT', 'Patient/1'],
  ['PATCH', 'Patient/1'],
  ['POST', 'Bundle'],
  ['POST', 'Patient/$validate'],
  ['POST', 'Patient/1/$meta-add'],
  ['POST', '$partition-explain'],
  ['POST', '$partition-management-create-partition'],
  ['PUT', 'Patient?identifier=x'],
];

test('JSON that is nearly a resource is never answered with 500', async (t) => {
  await client.put('Patient/1', { resourceType: 'Patient', id: '1' });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...TARGETS),
      json,
      async ([method, path], body) => (await statusOf(method, path, { body: JSON.stringify(body) })) !== 500,
    ),
    { numRuns: RUNS * 3 },
  );
  t.pass();
});

test('entries that are nearly right are never answered with 500, in batch and transaction', async (t) => {
  const entry = fc.record(
    {
      fullUrl: fc.oneof(json, fc.constantFrom(...VALUES)),
      resource: fc.oneof(
        json,
        fc.record({
          resourceType: fc.constantFrom('Patient', 'Parameters', 'Binary', 'Bundle'),
          data: json,
          id: json,
          link: json,
          parameter: json,
        }),
      ),
      request: fc.record(
        {
          method: fc.constantFrom(...METHODS),
          url: fc
            .tuple(fc.array(fc.constantFrom(...SEGMENTS), { maxLength: 4 }), fc.constantFrom(...QUERIES))
            .map(([path, query]) => path.join('/') + query),
          ifMatch: json,
          ifNoneExist: fc.oneof(json, fc.constant('identifier=x')),
        },
        { requiredKeys: ['method', 'url'] },
      ),
    },
    { requiredKeys: ['request'] },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('batch', 'transaction'),
      fc.array(entry, { maxLength: 3 }),
      async (type, entries) => {
        const { status, text } = await client.post(
          '',
          JSON.stringify({ resourceType: 'Bundle', type, entry: entries }),
        );
        return status !== 500 && !text.includes('"status":"500');
      },
    ),
    { numRuns: RUNS * 3 },
  );
  t.pass();
});

test('bytes that are no JSON are never answered with 500', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const { status } = await client.post('Patient', new Uint8Array(bytes));
      return status === 400;
    }),
    { numRuns: RUNS },
  );
  t.pass();
});

test('bytes that are no HTTP never harm the server', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.string({ maxLength: 100 }), async (text) => {
      const { status } = await rawExchange(server.url, `${text}\r\n\r\n`, { end: true });
      return status !== 500;
    }),
    { numRuns: 50 },
  );
  t.is((await client.get('metadata')).status, 200);
});

test('search text with signs that mean something elsewhere is only text', async (t) => {
  const family = `O'Neil"; drop table -- \\ % _ ${uniqueValue()}`;
  await client.createPatient({ name: [{ family }] });
  t.is(await client.count(`Patient?family:exact=${encodeURIComponent(family.replaceAll('\\', '\\\\'))}`), 1);
});
