import test from 'ava';
import type { Bundle, Patient } from 'fhir/r4.js';
import { createParameter, matchesOf, parameterOf, patientWith } from '../search-parameters/fixtures.js';
import { createReindexServer, reindexed } from './fixtures.js';

/** A patient with a hat and a home. */
function patient(id: string, colour: string, home: string): object {
  return {
    resourceType: 'Patient',
    id,
    extension: [
      { url: 'http://example.org/hat', valueString: colour },
      { url: 'http://example.org/home', valueReference: { reference: `Organization/${home}` } },
    ],
  };
}

test('rows that a server left behind as it did not know the parameter yet are taken away', async (t) => {
  const { server, client, settle } = await createReindexServer({ contents: 'search-parameters' });
  t.teardown(() => server.stop());
  const { parameters } = server.bulkhead.parts;
  const late = parameters.current;
  for (const id of ['o1', 'o2']) await client.put(`Organization/${id}`, { resourceType: 'Organization', id });
  await createParameter(client, parameterOf('hat'));
  const expression = "Patient.extension('http://example.org/home').value.ofType(Reference)";
  await createParameter(client, parameterOf('home', { type: 'reference', expression }));
  for (const id of ['changed', 'deleted', 'kept'])
    await client.put(`Patient/${id}`, patient(id, 'red', 'o1'));
  Object.defineProperty(parameters, 'current', { get: () => late, configurable: true });
  await client.put('Patient/changed', patient('changed', 'blue', 'o2'));
  await client.send('DELETE', 'Patient/deleted');
  await client.put('Patient/kept', { ...patient('kept', 'red', 'o1'), active: true });
  const { body } = await client.post<Patient>('Patient', patientWith('hat', 'blue'));
  Reflect.deleteProperty(parameters, 'current');
  t.deepEqual(matchesOf(await client.get<Bundle>('Patient?hat=red&_id=changed')), ['changed']);
  settle();
  t.like(await reindexed(client), { state: 'done', failed: 0 });
  const finds = async (search: string): Promise<readonly (string | undefined)[]> =>
    matchesOf(await client.get<Bundle>(`Patient?${search}`)).toSorted();
  t.deepEqual(await finds('hat=red'), ['kept']);
  t.deepEqual(await finds('hat=blue'), [body.id, 'changed'].toSorted());
  t.deepEqual(await finds('home=Organization/o1'), ['kept']);
  t.deepEqual(await finds('home=Organization/o2'), ['changed']);
  t.like(await reindexed(client), { state: 'done', added: 0 });
});

test('a resource that takes too long is named, and the warning stays', async (t) => {
  const { server, client, settle } = await createReindexServer({ contents: 'search-parameters' });
  t.teardown(() => server.stop());
  const slow = {
    resourceType: 'Patient',
    id: 'slow',
    name: Array.from({ length: 60 }, () => ({ given: ['a'] })),
  };
  await client.put('Patient/slow', slow);
  await client.put('Patient/quick', { resourceType: 'Patient', id: 'quick' });
  const expression =
    'Patient.name.select(iif(%resource.name.select(iif(%resource.name.select(%resource.name.given.count()).count() > 0, given, family)).count() > 0, given.first(), family))';
  await createParameter(client, parameterOf('costly', { expression }));
  settle();
  const status = await reindexed(client);
  t.like(status, { state: 'failed', failed: 1 });
  t.regex(String(status['failure']), /^Patient\/slow: .*takes too long/);
  t.deepEqual(
    server.bulkhead.parts.parameters.pendingPaths().map(({ resourceType }) => resourceType),
    // Contained patients, and those that stand alone.
    ['*', 'Patient'],
  );
});
