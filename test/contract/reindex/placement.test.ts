import test from 'ava';
import type { Bundle, Parameters } from 'fhir/r4.js';
import {
  createParameter,
  matchesOf,
  parameterOf,
  patientWith,
  warningsOf,
} from '../search-parameters/fixtures.js';
import { createPlaced, manage } from '../placement/fixtures.js';
import { createReindexServer, ended, reindexed, valuesOf } from './fixtures.js';

test('a partition in a place of its own is reindexed there, also while it is moved', async (t) => {
  const { server, client, settle } = await createReindexServer({
    partitions: ['beta'],
    settings: { placement: 'shared' },
  });
  t.teardown(() => server.stop());
  const apart = await createPlaced(t, client, 'apart', 'database');
  await client.tenant('beta').put('Patient/b', { id: 'b', ...patientWith('hat', 'red') });
  const ids = Array.from({ length: 150 }, (_, index) => `p${100 + index}`);
  await Promise.all(ids.map((id) => apart.put(`Patient/${id}`, { id, ...patientWith('hat', 'red') })));
  await createParameter(client, parameterOf('hat'));
  settle();
  t.like(await reindexed(apart), { state: 'done', added: ids.length });
  const find = (code: string): Promise<readonly (string | undefined)[]> =>
    apart.get<Bundle>(`Patient?${code}=red&_count=200`).then(matchesOf);
  t.deepEqual((await find('hat')).toSorted(), ids);
  await Promise.all(ids.map((id) => apart.put(`Patient/${id}`, { id, ...patientWith('sock', 'red') })));
  await createParameter(client, parameterOf('sock'));
  settle();
  const started = await client.post<Parameters>('$reindex', { resourceType: 'Parameters' });
  const moved = await manage(client, 'move-partition', { id: 2, to: 'shared' });
  t.is(moved.status, 200, moved.text);
  t.like(await ended(client, String(valuesOf(started)['job'])), { state: 'done', failed: 0 });
  t.deepEqual((await find('sock')).toSorted(), ids);
  t.deepEqual(warningsOf(await apart.get<Bundle>('Patient?sock=red')), []);
  t.deepEqual(await find('hat'), []);
});
