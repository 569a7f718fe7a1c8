import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { printQuery, queryString, RandomQueries, type RandomQuery } from '../../oracle/random-queries.js';
import type { QueryPart } from '../../oracle/search-oracle.js';
import { createSearchWorld, fillTenant, type SearchTenant } from '../../oracle/search-world.js';
import { wrongOrder, type SortWorld } from '../../oracle/sorting.js';
import { syntheaTenant } from '../../oracle/synthea-tenant.js';
import { FHIR_JSON, FhirClient } from '../support/fhir-client.js';
import { entriesOf, matchesOf, namesOf, pagesOf, type Bundle } from './pages.js';

/** `npm run test:search` asks for more searches, of other resources. */
const SEARCHES = Number(process.env['BULKHEAD_TEST_SEARCHES'] ?? 200);
const SEED = Number(process.env['BULKHEAD_TEST_SEED'] ?? 1);
const MANY = 1000;
/** Resources of each type. */
const SIZE = 8;

const world = await createSearchWorld(SEED, SIZE);
test.after.always(() => world.server.stop());

/** How the matches of a search are asked for. */
interface Asked {
  readonly count: number;
  readonly total: 'none' | 'estimate' | 'accurate' | undefined;
  readonly sort: string | undefined;
}

/** What the server finds, over all of its pages. @throws Error where it disagrees with the oracle */
async function compare(tenant: SearchTenant, query: RandomQuery, asked: Asked): Promise<number> {
  const { client, oracle } = tenant;
  const { count, total, sort } = asked;
  const expected = oracle.search(query.type, query.parts);
  const results: QueryPart[] = [['_count', String(count)]];
  if (sort !== undefined) results.push(['_sort', sort]);
  if (total !== undefined) results.push(['_total', total]);
  const pages = await pagesOf(client, `${query.type}?${queryString([...query.parts, ...results])}`);
  const matches = matchesOf(pages);
  const found = namesOf(matches).toSorted();
  const fail = (what: string): Error => new Error(`${printQuery(query)} ${queryString(results)}\n${what}`);
  if (found.join() !== expected.join()) throw fail(`found    ${found.join()}\nexpected ${expected.join()}`);
  const wrong = sort === undefined ? undefined : wrongOrder(orderOf(tenant), matches, sort);
  if (wrong !== undefined) throw fail(wrong);
  const told = total === 'none' ? undefined : expected.length;
  if (pages.some((page) => page.total !== told))
    throw fail(`totals ${pages.map((page) => page.total).join()}`);
  return expected.length;
}

function orderOf({ client, oracle, ages }: SearchTenant): SortWorld {
  return {
    base: client.base,
    valuesOf: (resource, definition) => oracle.valuesOf(resource, definition),
    ageOf: (name) => ages.get(name),
  };
}

/** A search, and how its matches are asked for. */
function searches(queries: RandomQueries): fc.Arbitrary<readonly [RandomQuery, Asked]> {
  return queries.query().chain((query) =>
    fc.tuple(
      fc.constant(query),
      fc.record({
        count: fc.constantFrom(3, 20),
        total: fc.constantFrom(undefined, 'none', 'estimate', 'accurate'),
        sort: fc.option(queries.order(query.type), { nil: undefined, freq: 2 }),
      }),
    ),
  );
}

for (const tenant of world.tenants) {
  const queries = new RandomQueries(tenant.oracle, world.served);

  test(`random searches of ${tenant.name} find what the oracle finds, each match once`, async (t) => {
    let matches = 0;
    const property = fc.asyncProperty(searches(queries), async ([query, asked]) => {
      matches += await compare(tenant, query, asked);
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

const synthetic = SEARCHES < MANY ? [] : syntheaTenant();

/** Only where many searches are asked for, and the data is beside the repository. */
if (synthetic.length > 0) {
  test('random searches of synthetic patients find what the oracle finds', async (t) => {
    const client = new FhirClient(world.server.url).tenant('synthetic');
    const tenant = await fillTenant('synthetic', client, synthetic);
    const types = [...new Set(synthetic.map(({ resourceType }) => resourceType))];
    const queries = new RandomQueries(tenant.oracle, { ...world.served, types });
    const property = fc.asyncProperty(searches(queries), async ([query, asked]) => {
      await compare(tenant, query, { ...asked, count: 100 });
    });
    await assertHolds(t, property, 2);
  });
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
