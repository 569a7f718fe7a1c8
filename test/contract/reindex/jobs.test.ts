import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import type { Bundle, Parameters, Patient } from 'fhir/r4.js';
import { createTestDatabase } from '../../support/test-database.js';
import { assertError, type FhirClient } from '../support/fhir-client.js';
import { createParameter, matchesOf, parameterOf, patientWith } from '../search-parameters/fixtures.js';
import { createReindexServer, ended, reindexed, valuesOf } from './fixtures.js';

async function start(client: FhirClient, path = '$reindex'): Promise<string> {
  return String(valuesOf(await client.post<Parameters>(path, { resourceType: 'Parameters' }))['job']);
}

test('a job that waits can be cancelled, and is seen by nobody outside of its partitions', async (t) => {
  const { server, client } = await createReindexServer({
    contents: 'search-parameters',
    partitions: ['acme', 'beta'],
  });
  t.teardown(() => server.stop());
  const [acme, beta] = [client.tenant('acme'), client.tenant('beta')];
  await createParameter(client, parameterOf('hat'));
  const [ofAll, ofAcme] = [await start(client), await start(acme)];
  t.like(valuesOf(await acme.get(`$reindex-status?job=${ofAcme}`)), { state: 'running' });
  t.like(valuesOf(await client.get(`$reindex-status?job=${ofAcme}`)), { state: 'running' });
  assertError(t, await acme.get(`$reindex-status?job=${ofAll}`), 404, 'NOT_FOUND');
  assertError(t, await beta.get(`$reindex-status?job=${ofAcme}`), 404, 'NOT_FOUND');
  assertError(t, await beta.post(`$reindex-cancel?job=${ofAcme}`, undefined), 404, 'NOT_FOUND');
  for (const job of [ofAll, ofAcme]) {
    t.like(valuesOf(await client.post(`$reindex-cancel?job=${job}`, undefined)), { state: 'cancelled' });
  }
  await pause(100);
  t.like(await ended(client, ofAll), { state: 'cancelled', resources: 0 });
});

test('another server goes on with a job whose server stopped', async (t) => {
  const database = await createTestDatabase('search-parameters');
  const first = await createReindexServer({ database });
  const second = await createReindexServer({ database });
  t.teardown(async () => {
    await second.server.stop();
    await database.drop();
  });
  const { body } = await first.client.post<Patient>('Patient', patientWith('hat', 'red'));
  await createParameter(first.client, parameterOf('hat'));
  const job = await start(first.client);
  await first.server.stop();
  second.settle();
  t.like(await ended(second.client, job), { state: 'done', added: 1 });
  t.deepEqual(matchesOf(await second.client.get<Bundle>('Patient?hat=red')), [body.id]);
});

test('what is written, changed and deleted meanwhile is found as it is at the end', async (t) => {
  const { server, client, settle } = await createReindexServer({ contents: 'search-parameters' });
  t.teardown(() => server.stop());
  const put = (id: string, colour: string): Promise<unknown> =>
    client.put(`Patient/${id}`, { id, ...patientWith('hat', colour) });
  const ids = Array.from({ length: 300 }, (_, index) => `p${index}`);
  await Promise.all(ids.map((id) => put(id, 'red')));
  await createParameter(client, parameterOf('hat'));
  settle();
  const over = new AbortController();
  const writing = (async () => {
    for (let index = 0; !over.signal.aborted; index++) {
      const id = ids[(index * 7) % ids.length] ?? '';
      await (index % 3 === 0 ? client.send('DELETE', `Patient/${id}`) : put(id, index % 2 ? 'blue' : 'red'));
    }
  })();
  t.like(await reindexed(client), { state: 'done', failed: 0 });
  over.abort();
  await writing;
  const all = await client.get<Bundle>('Patient?_count=1000');
  for (const colour of ['red', 'blue']) {
    const wearing = (all.body.entry ?? []).flatMap(({ resource }) => {
      const { id, extension } = resource as Patient;
      return extension?.[0]?.valueString === colour ? id : [];
    });
    const found = await client.get<Bundle>(`Patient?hat=${colour}&_count=1000`);
    t.deepEqual(matchesOf(found).toSorted(), wearing.toSorted());
  }
});
