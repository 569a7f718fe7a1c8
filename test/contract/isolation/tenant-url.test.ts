import { request } from 'node:http';
import test from 'ava';
import { assertError } from '../support/fhir-client.js';
import { openSeededWorld, type World } from './fixtures.js';

let world: World;

test.before(async () => {
  world = await openSeededWorld();
});

test.after.always(() => world.server.stop());

interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

/** Sends the path as it is: `fetch` would tidy it up. */
function get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<RawAnswer> {
  const { hostname, port } = new URL(world.server.url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}

const STRANGE = [
  'Beta',
  'BETA',
  'beta ',
  'beta%20',
  '%20beta',
  'beta.',
  'beta%00',
  'beta%2F',
  'beta%2Fx',
  'beta%5C',
  'bet%C3%A1',
  '%62eta%2e',
  'b%C4%B0eta',
  '_beta',
  '_all',
  'nobody',
  'default',
  '.',
  '..',
  '%2e%2e',
  'beta;x=1',
  'beta,acme',
  'beta%0d%0aX-Tenant-ID:acme',
  '-1',
  '2',
  `${'a'.repeat(201)}`,
];

for (const name of STRANGE) {
  test(`'${name}' is no tenant`, async (t) => {
    const answer = await get(`/fhir/${encodeSpaces(name)}/Patient/p1`);
    t.regex(String(answer.status), /^40[04]$/, answer.text);
    t.false(answer.text.includes(world.beta.canary));
    t.false(answer.text.includes(world.acme.canary));
  });
}

function encodeSpaces(text: string): string {
  return text.replaceAll(' ', '%20');
}

test('an escaped letter is the letter', async (t) => {
  const answer = await get('/fhir/%62eta/Patient/p1');
  t.is(answer.status, 200);
  t.true(answer.text.includes(world.beta.canary));
});

const DETOURS = [
  '/fhir/acme/../beta/Patient/p1',
  '/fhir/acme/%2e%2e/beta/Patient/p1',
  '/fhir/acme//beta/Patient/p1',
  '/fhir//beta/Patient/p1',
  '//fhir/beta/Patient/p1',
  '/fhir/acme/beta/Patient/p1',
  '/fhir/acme/Patient/..%2f..%2fbeta%2fPatient%2fp1',
  '/FHIR/beta/Patient/p1',
  '/fhirbeta/Patient/p1',
  '/beta/Patient/p1',
];

for (const path of DETOURS) {
  test(`${path} leads nowhere`, async (t) => {
    const answer = await get(path);
    t.regex(String(answer.status), /^40[04]$/, answer.text);
    t.false(answer.text.includes(world.beta.canary));
  });
}

test('headers about the host change no tenant and no printed URL', async (t) => {
  const answer = await get('/fhir/acme/Patient?_count=1', {
    host: 'beta.example:x@acme.example',
    'x-forwarded-host': 'beta.example.org',
    'x-forwarded-proto': 'https',
    'x-tenant-id': 'beta',
    'x-request-partition-ids': '2',
  });
  t.is(answer.status, 200);
  t.true(answer.text.includes(world.acme.canary));
  t.false(answer.text.includes(world.beta.canary));
  t.false(answer.text.includes('example.org/fhir'));
  t.true(answer.text.includes(`${world.server.url}/acme/Patient`));
});

const RESERVED = [
  'DEFAULT',
  'default',
  '_ALL',
  '_all',
  'metadata',
  'METADATA',
  'Patient',
  'Observation',
  '_x',
  '$export',
  '.',
  '..',
  '',
  'a b',
  'ä',
  'a/b',
  'a'.repeat(201),
  'Acme',
  'ACME',
];

for (const name of RESERVED) {
  test(`'${name.slice(0, 20)}' (${name.length}) cannot be the name of a new partition`, async (t) => {
    const parameter = [{ name: 'name', valueCode: name }];
    const answer = await world.root.post('$partition-management-create-partition', {
      resourceType: 'Parameters',
      parameter,
    });
    t.regex(String(answer.status), /^40[09]$/, answer.text);
  });
}

const OPERATIONS = [
  'create-partition',
  'read-partition',
  'update-partition',
  'delete-partition',
  'list-partitions',
].map((name) => `$partition-management-${name}`);

for (const operation of [...OPERATIONS, '$partition-explain']) {
  test(`${operation} under a tenant is 400, whatever it is given`, async (t) => {
    const parameter = [
      { name: 'id', valueInteger: 2 },
      { name: 'name', valueCode: 'taken' },
      { name: 'purge', valueBoolean: true },
    ];
    for (const body of [
      { resourceType: 'Parameters', parameter },
      { resourceType: 'Parameters', parameter: [] },
    ]) {
      for (const tenant of ['acme', '_ALL']) {
        assertError(t, await world.root.tenant(tenant).post(operation, body), 400, 'INVALID_PARTITION');
      }
    }
    t.is((await world.beta.client.get('Patient/p1')).status, 200);
  });
}
