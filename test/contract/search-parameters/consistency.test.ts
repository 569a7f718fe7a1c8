import test from 'ava';
import type { Bundle, Patient } from 'fhir/r4.js';
import { defineInterceptor } from '../../../src/index.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { createParameter, matchesOf, parameterOf, patientWith } from './fixtures.js';

/** Whoever writes a patient waits here, between reading the parameters and the transaction. */
let gate: { readonly reached: () => void; readonly open: Promise<void> } | undefined;

const waiting = defineInterceptor({
  name: 'waiting',
  hooks: {
    STORAGE_PRESTORAGE_RESOURCE_CREATED: async ({ value }) => {
      const at = value.resourceType === 'Patient' ? gate : undefined;
      at?.reached();
      await at?.open;
      return undefined;
    },
  },
});

const server = await createTestServer({ contents: 'search-parameters', interceptors: [waiting] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

/** An entry of a transaction that creates a patient. */
function entry(value: string): object {
  return { request: { method: 'POST', url: 'Patient' }, resource: patientWith('late', value) };
}

test('a write that began before a parameter and ends after it has the rows of the parameter', async (t) => {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  gate = { reached: reached.resolve, open: opened.promise };
  // The first entry is indexed before the second one waits.
  const order = [entry('first'), entry('second')];
  const writing = client.post<Bundle>('', { resourceType: 'Bundle', type: 'transaction', entry: order });
  await reached.promise;
  await createParameter(client, parameterOf('late'));
  opened.resolve();
  t.is((await writing).status, 200);
  t.is(matchesOf(await client.get<Bundle>('Patient?late=first')).length, 1);
  t.is(matchesOf(await client.get<Bundle>('Patient?late=second')).length, 1);
  gate = undefined;
});

test('a path is not settled before every server has heard of it and every write has ended', async (t) => {
  const before = Date.now();
  await createParameter(client, parameterOf('settled'));
  const { parameters } = server.bulkhead.parts;
  const path = parameters.pendingPaths().find(({ path: text }) => text.includes('settled'));
  t.truthy(path);
  if (path) t.true(parameters.settledAt(path) >= before + 10_000);
});

test('an update of what was written before a parameter makes its rows, where the value changes', async (t) => {
  const { body } = await client.post<Patient>('Patient', patientWith('mended', 'old'));
  await createParameter(client, parameterOf('mended'));
  await client.put(`Patient/${body.id}`, { ...patientWith('mended', 'new'), id: body.id });
  t.deepEqual(matchesOf(await client.get<Bundle>('Patient?mended=new')), [body.id]);
  t.deepEqual(matchesOf(await client.get<Bundle>('Patient?mended=old')), []);
});
