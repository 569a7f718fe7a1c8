import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { printQuery, queryString, RandomQueries, type RandomQuery } from '../../oracle/random-queries.js';
import { generateResource } from '../../oracle/generated-resources.js';
import { SearchOracle } from '../../oracle/search-oracle.js';
import { createSearchWorld, load, readAll, type SearchTenant } from '../../oracle/search-world.js';
import { syntheaTenant } from '../../oracle/synthea-tenant.js';
import { FHIR_JSON, FhirClient } from '../support/fhir-client.js';
import { entriesOf, matchesOf, namesOf, pagesOf, type Bundle } from './pages.js';
import { Random } from './random.js';

/** `npm run test:search` asks for more searches, of other resources. */
const SEARCHES = Number(process.env['BULKHEAD_TEST_SEARCHES'] ?? 200);
const SEED = Number(process.env['BULKHEAD_TEST_SEED'] ?? 1);
const MANY = 1000;
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

const synthetic = SEARCHES < MANY ? [] : syntheaTenant();

/** Only where many searches are asked for, and the data is beside the repository. */
if (synthetic.length > 0) {
  test('random searches of synthetic patients find what the oracle finds', async (t) => {
    const client = new FhirClient(world.server.url).tenant('synthetic');
    await load(client, synthetic);
    const types = [...new Set(synthetic.map(({ resourceType }) => resourceType))];
    const oracle = new SearchOracle(await readAll(client, types), client.base);
    const queries = new RandomQueries(oracle, { ...world.served, types });
    const property = fc.asyncProperty(queries.query(), async (query) => {
      await compare({ name: 'synthetic', client, oracle }, query, 100);
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

const LASTING = Array.from({ length: 20 }, (_, n) => String(n + 1));
const PASSING = ['w1', 'w2', 'w3', 'w4'];
const SORTS = fc.array(
  fc
    .constantFrom('_id', '_lastUpdated', 'family', 'birthdate', 'identifier', 'general-practitioner', '_tag')
    .chain((code) => fc.constantFrom(code, `-${code}`)),
  { maxLength: 3 },
);

test('pages add up in any order while others write: what was there all along comes exactly once', async (t) => {
  const random = new Random(SEED);
  const busy = new FhirClient(world.server.url).tenant('busy');
  const generation = { random, rarity: 2, targets: new Set(['Patient']), ids: LASTING };
  await load(
    busy,
    LASTING.map((id) => generateResource('Patient', id, generation)),
  );
  const reading = { goesOn: true };
  const write = async (): Promise<void> => {
    while (reading.goesOn) {
      const id = random.pick(PASSING);
      if (random.once(3)) await busy.delete(`Patient/${id}`);
      else await busy.put(`Patient/${id}`, generateResource('Patient', id, generation));
    }
  };
  const property = fc.asyncProperty(SORTS, fc.integer({ min: 2, max: 9 }), async (keys, count) => {
    const sort = keys.length === 0 ? '' : `&_sort=${keys.join()}`;
    const found = namesOf(matchesOf(await pagesOf(busy, `Patient?_count=${count}${sort}`)));
    const lasting = found.filter((name) => !PASSING.includes(name.slice('Patient/'.length))).toSorted();
    const expected = LASTING.map((id) => `Patient/${id}`).toSorted();
    if (lasting.join() !== expected.join()) throw new Error(`${sort} by ${count} found ${found.join()}`);
  });
  const writer = write();
  await assertHolds(t, property, 10).finally(() => {
    reading.goesOn = false;
  });
  await writer;
});
