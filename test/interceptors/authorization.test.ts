import test from 'ava';
import type { ExecutionContext } from 'ava';
import { defineInterceptor } from '../../src/index.js';
import type { Interceptor } from '../../src/index.js';
import { authorization } from '../../interceptors/authorization.js';
import { rules } from '../../interceptors/authorization-rules.js';
import type { Rules } from '../../interceptors/authorization-rules.js';
import { PATIENT, VALUE_SET, aPartition, aRequest, refused, select, send, serve } from './fixtures.js';
import type { Answer } from './fixtures.js';

const ACME = { partitions: [aPartition(1, 'acme')] };
const BETA = { partitions: [aPartition(2, 'beta')] };

const by = (list: Rules) => authorization({ rules: () => list });

test('without rules nothing is allowed', async (t) => {
  await refused(t, () => select(by(rules()), aRequest(), ACME), 'FORBIDDEN');
});

test('the first rule that fits decides, and is told', async (t) => {
  const list = rules().deny('no patients').read().resourcesOfType('Patient').allow().all();
  const error = await refused(t, () => select(by(list), aRequest(), ACME), 'FORBIDDEN');
  t.regex(error.message, /no patients/);
  await t.notThrowsAsync(select(by(list), aRequest({ resourceType: 'Observation' }), ACME));
  await t.notThrowsAsync(select(by(rules().allow().all().deny().all()), aRequest(), ACME));
});

test('rules are judged by the partitions that were selected', async (t) => {
  const list = rules().allow().read().allResources().forTenants('acme');
  await t.notThrowsAsync(select(by(list), aRequest(), ACME));
  const both = { partitions: [...ACME.partitions, ...BETA.partitions] };
  for (const selected of [BETA, both, { ...ACME, all: true }, { partitions: [] }])
    await refused(t, () => select(by(list), aRequest(), selected), 'FORBIDDEN');
});

test('what is refused in one of several partitions is refused in all of them', async (t) => {
  const list = rules().deny().read().allResources().forTenants('beta').allow().all();
  await t.notThrowsAsync(select(by(list), aRequest(), ACME));
  const both = { partitions: [...ACME.partitions, ...BETA.partitions] };
  for (const selected of [BETA, both, { ...ACME, all: true }])
    await refused(t, () => select(by(list), aRequest(), selected), 'FORBIDDEN');
});

test('reading is no writing, a patch is an update, and an operation is neither', async (t) => {
  const reads = by(rules().allow().read().allResources());
  for (const interaction of ['read', 'vread', 'history-type', 'search-type', 'page'] as const)
    await t.notThrowsAsync(select(reads, aRequest({ interaction }), ACME));
  for (const interaction of ['create', 'update', 'patch', 'delete', 'operation', 'capabilities'] as const)
    await refused(t, () => select(reads, aRequest({ interaction }), ACME), 'FORBIDDEN');
  const updates = by(rules().allow().update().allResources());
  for (const interaction of ['update', 'patch'] as const)
    await t.notThrowsAsync(select(updates, aRequest({ interaction }), ACME));
  await refused(t, () => select(updates, aRequest({ interaction: 'create' }), ACME), 'FORBIDDEN');
});

test('a list is not changed by what is added to it', (t) => {
  const first = rules().allow().metadata();
  const second = first.deny().all();
  t.is(first.list.length, 1);
  t.is(second.list.length, 2);
});

test('what names no resource is refused when the rule is made', (t) => {
  t.throws(() => rules().allow().read().instances('Patient'), { message: /Patient\/1/ });
  t.throws(() => rules().deny().read().resourcesOfType('Obsevation'), { message: /Obsevation/ });
});

interface Stored {
  readonly own: string;
  readonly other: string;
  readonly get: (path: string) => Promise<Answer>;
  readonly put: (path: string, body: object) => Promise<Answer>;
  readonly post: (path: string, body: object) => Promise<Answer>;
}

/** Two patients with an observation each; whoever sends no `x-limited` may do everything. */
async function limitedTo(
  t: ExecutionContext,
  limited: Rules,
  found: 'forbidden' | 'hidden',
  ...others: readonly Interceptor[]
): Promise<Stored> {
  const server = await serve(t, {
    partitions: ['acme', 'beta'],
    interceptors: [
      authorization({
        rules: ({ headers }) => (headers.has('x-limited') ? limited : rules().allow().all()),
        found,
      }),
      ...others,
    ],
  });
  const ids: string[] = [];
  for (const patient of ['p1', 'p2']) {
    await send(server, `acme/Patient/${patient}`, { method: 'PUT', body: { ...PATIENT, id: patient } });
    const { body } = await send(server, 'acme/Observation', { body: observationOf(patient) });
    ids.push(body['id'] as string);
  }
  const headers = { 'x-limited': 'yes' };
  return {
    own: ids[0]!,
    other: ids[1]!,
    get: (path) => send(server, path, { headers }),
    put: (path, body) => send(server, path, { method: 'PUT', body, headers }),
    post: (path, body) => send(server, path, { body, headers }),
  };
}

const observationOf = (patient: string, id?: string) => ({
  resourceType: 'Observation',
  ...(id === undefined ? {} : { id }),
  status: 'final',
  code: { text: 'weight' },
  subject: { reference: `Patient/${patient}` },
});

/** What a limited caller stores of one patient is stored of the other. */
const ofAnotherPatient = defineInterceptor({
  name: 'of-another-patient',
  hooks: {
    STORAGE_PRESTORAGE_RESOURCE_CREATED: {
      order: 1_000,
      handle: ({ value, request }) => {
        if (!request.headers.has('x-limited')) return undefined;
        const isOfFirst = JSON.stringify(value).includes('Patient/p1');
        return { ...value, subject: { reference: isOfFirst ? 'Patient/p2' : 'Patient/p1' } };
      },
    },
  },
});

const OF_P1 = rules().allow().read().inPatientCompartment('p1').allow().write().inPatientCompartment('p1');

test('of a compartment one sees and writes what is in it, and nothing else', async (t) => {
  const { own, other, get, put, post } = await limitedTo(t, OF_P1, 'forbidden');
  t.is((await get(`acme/Observation/${own}`)).status, 200);
  for (const path of [`acme/Observation/${other}`, 'acme/Observation', `acme/Observation/${other}/_history`])
    t.is((await get(path)).code, 'FORBIDDEN', path);
  t.is((await get('acme/Observation?subject=Patient/p1&_include=Observation:subject')).status, 200);
  t.is((await post('acme/Observation', observationOf('p1'))).status, 201);
  t.is((await post('acme/Observation', observationOf('p2'))).code, 'FORBIDDEN');
  t.is((await put(`acme/Observation/${other}`, observationOf('p1', other))).code, 'FORBIDDEN');
  t.is((await put(`acme/Observation/${own}`, observationOf('p2', own))).code, 'FORBIDDEN');
});

test('what is stored is judged as interceptors that come later leave it', async (t) => {
  const limited = rules().allow().create().inPatientCompartment('p1');
  const { post } = await limitedTo(t, limited, 'forbidden', ofAnotherPatient);
  t.is((await post('acme/Observation', observationOf('p1'))).code, 'FORBIDDEN');
  t.is((await post('acme/Observation', observationOf('p2'))).status, 201);
});

test('what may not be seen can be hidden instead', async (t) => {
  const { own, other, get } = await limitedTo(t, OF_P1, 'hidden');
  const hidden = await get(`acme/Observation/${other}`);
  const never = await get('acme/Observation/never');
  t.is(hidden.status, 404);
  t.is(hidden.code, never.code);
  const { body } = await get('acme/Observation');
  const entries = body['entry'] as readonly { readonly resource: { readonly id: string } }[];
  t.deepEqual(
    entries.map(({ resource }) => resource.id),
    [own],
  );
});

test('each entry of a bundle is judged by itself, and nothing of a refused transaction is stored', async (t) => {
  const { get, post } = await limitedTo(t, OF_P1, 'hidden');
  const entry = ['p1', 'p2'].map((patient) => ({
    resource: observationOf(patient),
    request: { method: 'POST', url: 'Observation' },
  }));
  const bundle = { resourceType: 'Bundle', entry };
  t.is((await post('acme', { ...bundle, type: 'transaction' })).code, 'FORBIDDEN');
  t.is(((await get('acme/Observation')).body['entry'] as readonly unknown[]).length, 1);
  const { body } = await post('acme', { ...bundle, type: 'batch' });
  t.deepEqual(
    (body['entry'] as readonly { readonly response: { readonly status: string } }[]).map(({ response }) =>
      response.status.slice(0, 3),
    ),
    ['201', '403'],
  );
});

test('what is written under a tenant and lives in DEFAULT is judged as DEFAULT', async (t) => {
  const limited = rules().allow().all().forTenants('acme');
  const { post, get } = await limitedTo(t, limited, 'forbidden');
  t.is((await post('acme/Patient', PATIENT)).status, 201);
  t.is((await post('acme/ValueSet', VALUE_SET)).code, 'FORBIDDEN');
  t.is((await get('beta/Patient')).code, 'FORBIDDEN');
  t.is((await get('_ALL/Patient')).code, 'FORBIDDEN');
});
