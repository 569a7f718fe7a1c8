import test, { type ExecutionContext } from 'ava';
import { assertError, FhirClient, uniqueValue } from '../../contract/support/fhir-client.js';
import { createTestDatabase } from '../../support/test-database.js';
import { createTestServer } from '../../support/test-server.js';
import { TcpProxy } from './tcp-proxy.js';

interface Place {
  readonly proxy: TcpProxy;
  /** Of the server whose database is behind the proxy. */
  readonly client: FhirClient;
}

async function openPlace(t: ExecutionContext): Promise<Place> {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  const proxy = await TcpProxy.open(database.url);
  t.teardown(() => proxy.close());
  const server = await createTestServer({
    partitions: ['acme'],
    settings: { ...database.settings, placement: 'shared', databaseUrl: proxy.url },
    database: { ...database, settings: {}, drop: async () => undefined },
  });
  t.teardown(() => server.stop());
  const client = new FhirClient(server.url).tenant('acme');
  // Names and row ids are known from now on, so that a write is one round trip.
  await client.createPatient({ identifier: [{ value: 'first' }] });
  return { proxy, client };
}

function patientOf(value: string) {
  return { resourceType: 'Patient', identifier: [{ value }] };
}

/** What a create that the test breaks comes to: the answer, and how often the resource is there afterwards. */
async function createThrough({ proxy, client }: Place, cut: (value: string) => void) {
  const value = uniqueValue();
  cut(value);
  const answer = await client.post('Patient', patientOf(value));
  proxy.onRequest = () => true;
  proxy.onAnswer = () => true;
  return { answer, stored: await client.count(`Patient?identifier=${value}`) };
}

test('a write that never arrived may have been made: it is reported as that, and not repeated', async (t) => {
  const place = await openPlace(t);
  const { proxy } = place;
  let arrivals = 0;
  const { answer, stored } = await createThrough(place, (value) => {
    proxy.onRequest = (bytes) => {
      if (!bytes.includes(value)) return true;
      arrivals++;
      proxy.cutAll();
      return false;
    };
  });
  assertError(t, answer, 504, 'OUTCOME_UNKNOWN');
  t.is(arrivals, 1);
  t.is(stored, 0);
});

test('a write whose answer was lost was made: it is reported as unknown, and not made twice', async (t) => {
  const place = await openPlace(t);
  const { proxy } = place;
  let arrivals = 0;
  const { answer, stored } = await createThrough(place, (value) => {
    proxy.onRequest = (bytes) => {
      if (!bytes.includes(value)) return true;
      arrivals++;
      proxy.onAnswer = () => {
        proxy.cutAll();
        return false;
      };
      return true;
    };
  });
  assertError(t, answer, 504, 'OUTCOME_UNKNOWN');
  t.is(arrivals, 1);
  t.is(stored, 1);
});

test('writes that were committed together are all unknown when the answer is lost, and each is made once', async (t) => {
  const { proxy, client } = await openPlace(t);
  const value = uniqueValue();
  proxy.onRequest = (bytes) => {
    if (bytes.includes(value)) {
      proxy.onAnswer = () => {
        proxy.cutAll();
        return false;
      };
    }
    return true;
  };
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => client.post('Patient', patientOf(value))),
  );
  proxy.onRequest = () => true;
  proxy.onAnswer = () => true;
  const acknowledged = answers.filter(({ status }) => status === 201).length;
  const unknown = answers.filter(({ status }) => status === 504).length;
  const refused = answers.filter(({ status }) => status === 503).length;
  t.is(acknowledged + unknown + refused, 10, answers.map(({ text }) => text).join('\n'));
  t.true(unknown > 0);
  const stored = await client.count(`Patient?identifier=${value}`);
  t.true(
    stored >= acknowledged && stored <= acknowledged + unknown,
    `${stored} of ${acknowledged} and ${unknown}`,
  );
});

test('a read whose answer was lost is asked for again', async (t) => {
  const { proxy, client } = await openPlace(t);
  const value = uniqueValue();
  const { id } = await client.createPatient({ identifier: [{ value }] });
  let cuts = 0;
  proxy.onAnswer = (bytes) => {
    if (cuts > 0 || !bytes.includes(value)) return true;
    cuts++;
    proxy.cutAll();
    return false;
  };
  t.is((await client.get(`Patient/${id}`)).status, 200);
  t.is(cuts, 1);
});

test('a read whose answer is lost each time is refused for now', async (t) => {
  const { proxy, client } = await openPlace(t);
  const value = uniqueValue();
  const { id } = await client.createPatient({ identifier: [{ value }] });
  let cuts = 0;
  proxy.onAnswer = (bytes) => {
    if (!bytes.includes(value)) return true;
    cuts++;
    proxy.cutAll();
    return false;
  };
  const answer = await client.get(`Patient/${id}`);
  assertError(t, answer, 503, 'BUSY');
  t.truthy(answer.headers.get('retry-after'));
  t.is(cuts, 2);
});
