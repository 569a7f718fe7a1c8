import test from 'ava';
import type { Bundle, BundleEntry, FhirResource, OperationOutcome, Patient } from 'fhir/r4.js';
import type { Answer } from '../support/fhir-client.js';
import { assertError, codeOf } from '../support/fhir-client.js';
import { assertNothingOf, FOREIGN_ID, openSeededWorld, wholeHistory, type World } from './fixtures.js';

let world: World;

test.before(async () => {
  world = await openSeededWorld();
});

test.after.always(() => world.server.stop());

const PATIENT: FhirResource = { resourceType: 'Patient', gender: 'other' };

function send(type: 'batch' | 'transaction', ...entry: readonly object[]): Promise<Answer<Bundle>> {
  return world.acme.client.post<Bundle>('', { resourceType: 'Bundle', type, entry });
}

/** URLs that name another place than the tenant that the bundle was sent to. */
const FOREIGN_URLS: Readonly<Record<string, (world: World) => string>> = {
  "the other tenant's absolute URL": ({ beta }) => `${beta.client.base}/Patient/${FOREIGN_ID}`,
  'the root in full': ({ root }) => `${root.base}/Patient/${FOREIGN_ID}`,
  'the other tenant in front': () => `beta/Patient/${FOREIGN_ID}`,
  'the other tenant behind a slash': () => `/beta/Patient/${FOREIGN_ID}`,
  'all partitions': () => `_ALL/Patient/${FOREIGN_ID}`,
  DEFAULT: () => `DEFAULT/Patient/${FOREIGN_ID}`,
  'a way up': () => `../beta/Patient/${FOREIGN_ID}`,
  'a way up in the middle': () => `Patient/../../beta/Patient/${FOREIGN_ID}`,
  'another host': () => `//example.org/Patient/${FOREIGN_ID}`,
  'another scheme': () => `file:///Patient/${FOREIGN_ID}`,
  'an escaped way up': () => `%2e%2e/beta/Patient/${FOREIGN_ID}`,
  'an escaped slash': () => `beta%2FPatient/${FOREIGN_ID}`,
  'a backslash': () => `..\\beta\\Patient\\${FOREIGN_ID}`,
};

for (const [what, url] of Object.entries(FOREIGN_URLS)) {
  test.serial(`an entry URL with ${what} is refused`, async (t) => {
    const before = await wholeHistory(world.beta);
    for (const method of ['GET', 'DELETE', 'PUT']) {
      const request = { method, url: url(world) };
      const entry = method === 'PUT' ? { resource: { ...PATIENT, id: FOREIGN_ID }, request } : { request };
      const whole = await send('transaction', entry);
      t.is(whole.status, 400, whole.text);
      const single = await send('batch', entry);
      t.regex(single.body.entry?.[0]?.response?.status ?? '', /^400/, single.text);
      t.false(`${whole.text}${single.text}`.includes(world.beta.canary));
    }
    t.is(await wholeHistory(world.beta), before);
  });
}

test.serial("an entry URL may carry the request's own tenant", async (t) => {
  const { client } = world.acme;
  for (const url of [`${client.base}/Patient/p1`, 'acme/Patient/p1', '/acme/Patient/p1', 'Patient/p1']) {
    const answer = await send('batch', { request: { method: 'GET', url } });
    t.is(answer.body.entry?.[0]?.response?.status, '200 OK', url);
    t.true(answer.text.includes(world.acme.canary));
    assertNothingOf(t, answer, world.beta);
  }
});

test.serial("a fullUrl of another tenant's names nothing but an entry", async (t) => {
  const { acme, beta } = world;
  const fullUrl = `${beta.client.base}/Patient/${FOREIGN_ID}`;
  const observation = {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'x' },
    subject: { reference: fullUrl },
  };
  const answer = await send(
    'transaction',
    { fullUrl, resource: PATIENT, request: { method: 'POST', url: 'Patient' } },
    { resource: observation, request: { method: 'POST', url: 'Observation' } },
  );
  t.is(answer.status, 200);
  assertNothingOf(t, answer, beta);
  const [patient, stored] = locations(answer);
  const read = await acme.client.get<{ subject: { reference: string } }>(stored ?? '');
  t.true(patient?.includes(read.body.subject.reference));
  t.not(read.body.subject.reference, `Patient/${FOREIGN_ID}`);
  t.is((await acme.client.get(`Patient/${FOREIGN_ID}`)).status, 404);
});

function locations({ body }: Answer<Bundle>): readonly string[] {
  return (body.entry ?? []).map(({ response }) => (response?.location ?? '').replace(/\/_history\/\d+$/, ''));
}

test.serial('references inside a transaction stay in the partition', async (t) => {
  const { acme, beta } = world;
  const observation = {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'x' },
    subject: { reference: 'urn:uuid:11111111-1111-4111-8111-111111111111' },
  };
  const entries = [
    {
      fullUrl: 'urn:uuid:11111111-1111-4111-8111-111111111111',
      resource: PATIENT,
      request: { method: 'POST', url: 'Patient' },
    },
    { resource: observation, request: { method: 'POST', url: 'Observation' } },
  ];
  const stored = await send('transaction', ...entries);
  t.is(stored.status, 200);
  for (const location of locations(stored)) {
    t.true(location.startsWith(acme.client.base));
    t.is((await acme.client.get(location)).status, 200);
    t.is((await beta.client.get(location.replace('/acme/', '/beta/'))).status, 404);
  }
});

test.serial('a transaction that refers to a foreign resource stores nothing', async (t) => {
  const before = await wholeHistory(world.acme);
  const observation = {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'x' },
    subject: { reference: `Patient/${FOREIGN_ID}` },
  };
  const answer = await send(
    'transaction',
    { resource: PATIENT, request: { method: 'POST', url: 'Patient' } },
    { resource: observation, request: { method: 'POST', url: 'Observation' } },
  );
  t.is(answer.status, 400);
  t.is(codeOf(answer), 'REFERENCE_NOT_FOUND');
  t.is(await wholeHistory(world.acme), before);
});

test.serial('conditions of entries match in the own partition only', async (t) => {
  const { acme, beta } = world;
  const before = await wholeHistory(beta);
  const identifier = [{ system: 'urn:mrn', value: FOREIGN_ID }];
  const answer = await send(
    'transaction',
    {
      resource: { ...PATIENT, identifier },
      request: { method: 'POST', url: 'Patient', ifNoneExist: `identifier=urn:mrn|${FOREIGN_ID}` },
    },
    { request: { method: 'DELETE', url: `Observation?subject=Patient/${FOREIGN_ID}` } },
  );
  t.deepEqual(
    answer.body.entry?.map(({ response }) => response?.status),
    ['201 Created', '204 No Content'],
  );
  t.is(await acme.client.count(`Patient?identifier=urn:mrn|${FOREIGN_ID}`), 1);
  t.is(await wholeHistory(beta), before);
});

test.serial('a bundle in a bundle is refused', async (t) => {
  const inner = {
    resourceType: 'Bundle',
    type: 'batch',
    entry: [{ request: { method: 'GET', url: 'Patient/p1' } }],
  };
  const answer = await send('batch', { resource: inner, request: { method: 'POST', url: '' } });
  t.regex(answer.body.entry?.[0]?.response?.status ?? '', /^4/);
});

test.serial('entries of a batch under the root are DEFAULT’s, whatever tenant they name', async (t) => {
  const answer = await world.root.post<Bundle>('', {
    resourceType: 'Bundle',
    type: 'batch',
    entry: [
      { request: { method: 'GET', url: 'acme/Patient/p1' } },
      { request: { method: 'GET', url: 'Patient/p1' } },
    ],
  });
  t.deepEqual(
    answer.body.entry?.map(({ response }) => response?.status),
    ['400 Bad Request', '404 Not Found'],
  );
  assertNothingOf(t, answer, world.acme);
});

test.serial('page links in a bundle are held to their tenant', async (t) => {
  const { beta } = world;
  const page = await beta.client.get<Bundle>('Patient?_count=1');
  const next = page.body.link?.find(({ relation }) => relation === 'next')?.url ?? '';
  const answer = await send(
    'batch',
    { request: { method: 'GET', url: next.slice(next.indexOf('?')) } },
    { request: { method: 'GET', url: next } },
  );
  for (const { response } of answer.body.entry as BundleEntry<Patient>[]) {
    t.regex(response?.status ?? '', /^40[04]/);
    t.is((response?.outcome as OperationOutcome | undefined)?.resourceType, 'OperationOutcome');
  }
  assertNothingOf(t, answer, { ...beta, name: 'no tenant stands in answers' });
});

test('a bundle under all partitions writes nothing', async (t) => {
  const entry = [{ resource: PATIENT, request: { method: 'POST', url: 'Patient' } }];
  const answer = await world.root
    .tenant('_ALL')
    .post('', { resourceType: 'Bundle', type: 'transaction', entry });
  assertError(t, answer, 400, 'PARTITION_REQUIRED_ONE');
});
