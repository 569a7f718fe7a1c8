import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as forward,
  type ServerResponse,
} from 'node:http';
import { buffer } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { defineInterceptor, type Interceptor } from '../../../src/index.js';
import { type IsolationOptions, verifyIsolation } from '../../../src/testing.js';
import { PLANTS } from '../../proof/plants.js';
import { createTestServer, type StoreTestOptions, type TestServer } from '../../support/test-server.js';
import { listen, startIssuer } from '../auth/issuer.js';

/** What finds each of the leaks that the proof plants. Nobody can see a counter, or the log, in single answers. */
const FOUND_BY: readonly (readonly [keyof typeof PLANTS, readonly string[]])[] = [
  ['a hook that widens the scope of searches for groups', ['a search for type Group', 'a search for Groups']],
  ['a read that looks elsewhere where it finds nothing', ['a read', 'a history', 'the content of a Binary']],
  ['a read that refuses what exists elsewhere', ['a read', 'an update']],
  ['versions without a predicate', ['a version', 'a version of type Group']],
  ['a history of encounters without a predicate', ['a history of type Encounter, of an id that both have']],
  ['conditions that match anywhere', ['a conditional delete', 'a conditional patch', 'a conditional update']],
  ['labels of everybody', ['the labels in use', 'the labels in use of a type']],
  ['page links that are good for everybody', ["the other one's page link"]],
  [
    'exports that everybody may ask for',
    ["the status of the other one's export", "the end of the other one's export"],
  ],
  ['a cache of reads without the tenant in its key', ['a read, of an id that both have']],
];

async function open(t: ExecutionContext, options: StoreTestOptions = {}): Promise<TestServer> {
  const server = await createTestServer({ partitions: ['acme', 'beta'], ...options });
  t.teardown(() => server.stop());
  return server;
}

/** Which of these attacks succeeded, each once. */
async function leaksOf(
  url: string,
  only: readonly string[],
  options: Partial<IsolationOptions> = {},
): Promise<readonly string[]> {
  const rows = await verifyIsolation({ url, partitions: ['acme', 'beta'], only, ...options });
  return [...new Set(rows.filter(({ verdict }) => verdict === 'leak').map(({ attack }) => attack))];
}

for (const [name, attacks] of FOUND_BY) {
  test.serial(`${name} is found`, async (t) => {
    const server = await open(t);
    PLANTS[name](server.bulkhead, () => undefined);
    t.deepEqual((await leaksOf(server.url, attacks)).toSorted(), attacks.toSorted());
  });
}

/** The tenant of every request is this one, whatever the URL says. */
const deafToUrls: Interceptor = defineInterceptor({
  name: 'deaf-to-urls',
  order: -1_000,
  hooks: {
    STORAGE_PARTITION_IDENTIFY_CREATE: () => ({ by: 'name', names: ['acme'] }),
    STORAGE_PARTITION_IDENTIFY_READ: () => ({ by: 'name', names: ['acme'] }),
  },
});

/** Believes a header before the URL, for reads alone. */
const credulous: Interceptor = defineInterceptor({
  name: 'credulous',
  order: -1_000,
  hooks: {
    STORAGE_PARTITION_IDENTIFY_READ: ({ request }) => {
      const [tenant] = request.headers.get('x-tenant-id') ?? [];
      return tenant === 'acme' || tenant === 'beta' ? { by: 'name', names: [tenant] } : undefined;
    },
  },
});

test.serial('an interceptor that ignores the tenant in the URL is found', async (t) => {
  const server = await open(t, { interceptors: [deafToUrls] });
  t.deepEqual(await leaksOf(server.url, ['a read', 'a name']), ['a read', 'a name']);
});

test.serial('an interceptor that believes a header more than the URL is found by just that', async (t) => {
  const server = await open(t, { interceptors: [credulous] });
  const attacks = ['a read', 'the header X-Tenant-ID', 'the header X-Forwarded-Host'];
  t.deepEqual(await leaksOf(server.url, attacks), ['the header X-Tenant-ID']);
});

test.serial('tokens that open both tenants are found', async (t) => {
  const issuer = await startIssuer(t);
  const server = await open(t, { settings: issuer.settings });
  const both = await issuer.token({ tenant_id: ['acme', 'beta'] });
  const attacks = ['a read', "the own token under the other one's URL"];
  t.deepEqual(await leaksOf(server.url, attacks, { tokens: [both, both] }), attacks.slice(1));
});

test.serial('a cache in front of the server that forgets whose answer it keeps is found', async (t) => {
  const server = await open(t, { settings: { partitioning: ['header'] } });
  const proxy = await listen(t, carelessCache(new URL(server.url)));
  const attacks = ['a read, of an id that both have', 'a search by POST, of an id that both have'];
  t.deepEqual(await leaksOf(`${proxy}/fhir`, attacks, { tenantIn: 'header' }), attacks.slice(0, 1));
});

/** Keeps what GETs were answered by their URL alone, until something is written. */
function carelessCache({ host }: URL): (request: IncomingMessage, response: ServerResponse) => void {
  const kept = new Map<string, readonly [status: number, headers: IncomingHttpHeaders, body: Buffer]>();
  return (request, response) => {
    const { method = '', url = '', headers } = request;
    if (method !== 'GET') kept.clear();
    const known = headers['cache-control'] === 'no-cache' ? undefined : kept.get(url);
    if (known) {
      response.writeHead(known[0], known[1]).end(known[2]);
      return;
    }
    const outgoing = forward(`http://${host}${url}`, { method, headers }, async (answer) => {
      const body = await buffer(answer);
      if (method === 'GET') kept.set(url, [answer.statusCode ?? 0, answer.headers, body]);
      response.writeHead(answer.statusCode ?? 0, answer.headers).end(body);
    });
    request.pipe(outgoing);
  };
}
