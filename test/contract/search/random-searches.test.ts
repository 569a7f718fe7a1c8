import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { printQuery, queryString, RandomQueries, type RandomQuery } from '../../oracle/random-queries.js';
import { createSearchWorld, type SearchTenant } from '../../oracle/search-world.js';
import { FHIR_JSON } from '../support/fhir-client.js';
import { entriesOf, matchesOf, namesOf, pagesOf, type Bundle } from './pages.js';

/** `npm run test:search` asks for more searches, of other resources. */
const SEARCHES = Number(process.env['BULKHEAD_SEARCHES'] ?? 250);
const SEED = Number(process.env['BULKHEAD_SEED'] ?? 1);
/** Resources of each type. */
const SIZE = 8;

const world = await createSearchWorld(SEED, SIZE);
test.after.always(() => world.server.stop());

/** What the server finds, over all of its pages. @throws Error where it disagrees with the oracle */
async function compare({ client, oracle }: SearchTenant, query: RandomQuery, count: number): Promise<number> {
  const expected = oracle.search(query.type, query.parts);
  const pages = await pagesOf(client, `${query.type}?${queryString(query.parts)}&_count=${count}`);
  const found = namesOf(matchesOf(pages)).toSorted();
  const total = pages[0]?.total;
  if (found.join() !== expected.join() || total !== expected.length)
    throw new Error(
      `${printQuery(query)}\nfound    ${found.join()} (total ${total})\nexpected ${expected.join()}`,
    );
  return expected.length;
}

for (const tenant of world.tenants) {
  const queries = new RandomQueries(tenant.oracle, world.served);

  test(`random searches of ${tenant.name} find what the oracle finds, each match once`, async (t) => {
    let matches = 0;
    const property = fc.asyncProperty(queries.query(), fc.constantFrom(3, 20), async (query, count) => {
      matches += await compare(tenant, query, count);
    });
    await assertHolds(t, property);
    t.true(matches > SEARCHES / 2, `${matches} matches: searches that find nothing prove little`);
  });

  test(`includes of ${tenant.name} add what the oracle adds`, async (t) => {
    const property = fc.asyncProperty(queries.includes(), async (query) => {
      const { type, parts } = query;
      const { body, text, status } = await tenant.client.get<Bundle>(
        `${type}?_count=100&${queryString(parts)}`,
      );
      if (status !== 200) throw new Error(`${printQuery(query)} answered ${status}: ${text}`);
      const found = namesOf(entriesOf([body], 'include')).toSorted();
      const expected = tenant.oracle.includes(type, parts);
      if (found.join() !== expected.join())
        throw new Error(`${printQuery(query)}\nadded    ${found.join()}\nexpected ${expected.join()}`);
    });
    await assertHolds(t, property, 5);
  });
}

/** Says what is wrong with the smallest search that fails. */
async function assertHolds<T>(t: ExecutionContext, property: fc.IAsyncProperty<T>, share = 1): Promise<void> {
  const runs = { seed: SEED, numRuns: Math.ceil(SEARCHES / share) };
  const { failed, errorInstance, counterexamplePath } = await fc.check(property, runs);
  t.false(failed, `seed ${SEED}, path ${counterexamplePath}: ${String(errorInstance)}`);
}

test('POST _search answers as GET does', async (t) => {
  const [{ client, oracle }] = world.tenants as [SearchTenant];
  const form = { 'content-type': 'application/x-www-form-urlencoded', accept: FHIR_JSON };
  for (const { type, parts } of fc.sample(new RandomQueries(oracle, world.served).query(), {
    seed: SEED,
    numRuns: 30,
  })) {
    const query = queryString(parts);
    const got = await client.get<Bundle>(`${type}?${query}`);
    const posted = await client.post<Bundle>(`${type}/_search`, query, form);
    t.deepEqual(posted.body.entry, got.body.entry, query);
    t.is(posted.body.total, got.body.total, query);
  }
});

test('what is asked of one tenant never shows in the other, though all ids are the same', async (t) => {
  const [acme, beta] = world.tenants as [SearchTenant, SearchTenant];
  for (const type of world.served.types) {
    const found = matchesOf(await pagesOf(acme.client, `${type}?_count=100`));
    const own = acme.oracle.resourcesOf(type).map((one) => JSON.stringify(one));
    const foreign = new Set(beta.oracle.resourcesOf(type).map((one) => JSON.stringify(one)));
    t.deepEqual(found.map((one) => JSON.stringify(one)).toSorted(), own.toSorted());
    t.false(own.some((one) => foreign.has(one)));
  }
});
