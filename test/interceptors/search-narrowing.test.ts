import test from 'ava';
import type { ExecutionContext } from 'ava';
import { defineInterceptor } from '../../src/index.js';
import type { Interceptor } from '../../src/index.js';
import { searchNarrowing } from '../../interceptors/search-narrowing.js';
import type { Narrowing } from '../../interceptors/search-narrowing.js';
import { PATIENT, send, serve } from './fixtures.js';

const observationOf = (patient: string, id: string, category: string): object => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  category: [{ coding: [{ code: category }] }],
  code: { text: 'weight' },
  subject: { reference: `Patient/${patient}` },
});

/** Searches by a caller that is limited; gives the ids that were found, and the total. */
async function searches(
  t: ExecutionContext,
  narrowing: Narrowing | undefined,
  ...others: readonly Interceptor[]
) {
  const server = await serve(t, {
    partitions: ['acme'],
    interceptors: [
      searchNarrowing({ narrow: ({ headers }) => (headers.has('x-limited') ? narrowing : undefined) }),
      ...others,
    ],
  });
  for (const patient of ['p1', 'p2'])
    await send(server, `acme/Patient/${patient}`, { method: 'PUT', body: { ...PATIENT, id: patient } });
  for (const [patient, id, category] of [
    ['p1', 'o1', 'laboratory'],
    ['p1', 'o2', 'survey'],
    ['p2', 'o3', 'laboratory'],
  ] as const)
    await send(server, `acme/Observation/${id}`, {
      method: 'PUT',
      body: observationOf(patient, id, category),
    });
  return async (query: string) => {
    const { body, status, code } = await send(server, `acme${query}`, { headers: { 'x-limited': 'yes' } });
    const entries = (body['entry'] ?? []) as readonly { readonly resource: { readonly id: string } }[];
    return { ids: entries.map(({ resource }) => resource.id).toSorted(), total: body['total'], status, code };
  };
}

test('of patients only what is in their compartments is found and counted', async (t) => {
  const search = await searches(t, { patients: ['p1'] });
  t.deepEqual((await search('/Observation')).ids, ['o1', 'o2']);
  t.deepEqual((await search('/Observation?subject=Patient/p2')).ids, []);
  t.deepEqual((await search('/Patient')).ids, ['p1']);
  t.is((await search('/Observation?_summary=count')).total, 2);
  t.deepEqual((await search('/Observation?_filter=category eq laboratory')).ids, ['o1']);
});

test('an interceptor that comes later takes no limit away', async (t) => {
  const search = await searches(
    t,
    { patients: ['p1'] },
    defineInterceptor({
      name: 'asks-for-everything',
      hooks: { STORAGE_PRESEARCH_REGISTERED: { order: 1_000, handle: () => [] } },
    }),
  );
  t.deepEqual((await search('/Observation?subject=Patient/p1')).ids, ['o1', 'o2']);
});

test('whoever is limited to no patient finds nothing of patients', async (t) => {
  const search = await searches(t, { patients: [] });
  t.deepEqual((await search('/Observation')).ids, []);
  t.deepEqual((await search('/Patient')).ids, []);
});

test('parameters and ids by type limit too', async (t) => {
  const search = await searches(t, {
    instances: { Patient: ['p2'] },
    parameters: { Observation: [['category', 'laboratory']] },
  });
  t.deepEqual((await search('/Patient')).ids, ['p2']);
  t.deepEqual((await search('/Observation')).ids, ['o1', 'o3']);
});

test('a search over all types is refused for whoever is limited', async (t) => {
  const search = await searches(t, { patients: ['p1'] });
  t.is((await search('?_lastUpdated=gt2000')).code, 'FORBIDDEN');
  const unlimited = await searches(t, undefined);
  t.is((await unlimited('?_lastUpdated=gt2000')).status, 200);
});

test('an id with a comma in it is no id', async (t) => {
  const search = await searches(t, { patients: ['p1,Patient/p2'] });
  t.is((await search('/Observation')).status, 500);
});
