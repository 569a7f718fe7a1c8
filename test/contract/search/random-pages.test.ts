import test from 'ava';
import fc from 'fast-check';
import type { FhirResource } from 'fhir/r4.js';
import { generateResource } from '../../oracle/generated-resources.js';
import { printQuery, queryString, RandomQueries, type RandomQuery } from '../../oracle/random-queries.js';
import type { QueryPart } from '../../oracle/search-oracle.js';
import { createSearchWorld, fillTenant } from '../../oracle/search-world.js';
import { wrongOrder } from '../../oracle/sorting.js';
import { FhirClient } from '../support/fhir-client.js';
import { matchesOf, namesOf, pagesOf } from './pages.js';
import { Random } from './random.js';

/** `npm run test:search` asks for more searches, of other resources. */
const SEARCHES = Number(process.env['BULKHEAD_TEST_SEARCHES'] ?? 200);
const SEED = Number(process.env['BULKHEAD_TEST_SEED'] ?? 1);

/** Types that pages are asked of, each with orders by every kind of parameter that it has. */
const ORDERS: Readonly<Record<string, readonly string[]>> = {
  Patient: ['family', '-birthdate', 'gender,-given', '-general-practitioner', '_lastUpdated', '-_id'],
  Observation: ['date', '-value-quantity', 'code,-date', 'subject', '-status,encounter', '-_lastUpdated'],
  Encounter: ['-date', 'length', 'class,-length', '-subject', 'status', '_id'],
  Condition: [
    'onset-date',
    '-code',
    'clinical-status,-recorded-date',
    'encounter',
    '-onset-age',
    '-_lastUpdated',
  ],
};
const TYPES = Object.keys(ORDERS);
const LASTING = Array.from({ length: 20 }, (_, n) => String(n + 1));
const PASSING: readonly string[] = ['w1', 'w2', 'w3', 'w4'];

const { server, served } = await createSearchWorld(SEED, 1);
const random = new Random(SEED);
const generation = { random, rarity: 2, targets: new Set(TYPES), ids: LASTING };
const lasting = TYPES.flatMap((type) => LASTING.map((id) => generateResource(type, id, generation)));
const { client, oracle, ages } = await fillTenant('busy', new FhirClient(server.url).tenant('busy'), lasting);
const order = {
  base: client.base,
  valuesOf: oracle.valuesOf.bind(oracle),
  ageOf: (name: string) => ages.get(name),
};

test.after.always(() => server.stop());

/** What others may have written meanwhile is left out. */
function isLasting({ id }: FhirResource): boolean {
  return !PASSING.includes(id ?? '');
}

/** @throws Error where the pages do not have each match that was there all along once, in the order asked for */
async function judge({ type, parts }: RandomQuery, sort: string, count: number): Promise<void> {
  const results: QueryPart[] = [['_count', String(count)]];
  if (sort !== '') results.push(['_sort', sort]);
  const found = matchesOf(await pagesOf(client, `${type}?${queryString([...parts, ...results])}`));
  const steady = found.filter(isLasting);
  const names = namesOf(steady).toSorted().join();
  const expected = oracle.search(type, parts).join();
  const fail = (what: string): Error =>
    new Error(`${printQuery({ type, parts })} ${queryString(results)}\n${what}`);
  if (names !== expected) throw fail(`found    ${names}\nexpected ${expected}`);
  const wrong = sort === '' ? undefined : wrongOrder(order, steady, sort);
  if (wrong !== undefined) throw fail(wrong);
}

/** Writes and deletes resources of the type for as long as the work takes. */
async function besideWrites(type: string, work: () => Promise<void>): Promise<number> {
  const writing = { goesOn: true };
  let written = 0;
  const write = async (): Promise<void> => {
    for (; writing.goesOn; written++) {
      const id = random.pick(PASSING);
      if (random.once(3)) await client.delete(`${type}/${id}`);
      else await client.put(`${type}/${id}`, generateResource(type, id, generation));
    }
  };
  const writer = write();
  await work().finally(() => {
    writing.goesOn = false;
  });
  await writer;
  return written;
}

for (const [type, orders] of Object.entries(ORDERS)) {
  test.serial(`pages of ${type} add up in any order while others write`, async (t) => {
    const queries = new RandomQueries(oracle, { ...served, types: TYPES });
    const asked = fc.tuple(
      queries.ownQuery(type),
      fc.oneof(fc.constant(''), fc.constantFrom(...orders), queries.order(type)),
      fc.integer({ min: 2, max: 9 }),
    );
    const property = fc.asyncProperty(asked, ([query, sort, count]) => judge(query, sort, count));
    const written = await besideWrites(type, async () => {
      for (const sort of orders) await judge({ type, parts: [] }, sort, 3);
      const { failed, errorInstance, counterexamplePath } = await fc.check(property, {
        seed: SEED,
        numRuns: Math.ceil(SEARCHES / 10),
      });
      t.false(failed, `seed ${SEED}, path ${counterexamplePath}: ${String(errorInstance)}`);
    });
    t.true(written > 0, `${written} writes`);
  });
}

test.serial('pages of several types add up while others write each of them', async (t) => {
  const expected = TYPES.flatMap((type) => oracle.search(type, [])).toSorted();
  const search = `?_type=${TYPES.join()}&_count=7`;
  const rounds = TYPES.map((type) => (work: () => Promise<void>) => async () => {
    t.true((await besideWrites(type, work)) > 0);
  });
  const work = async (): Promise<void> => {
    for (const sort of ['', '&_sort=_id', '&_sort=-_lastUpdated', '&_sort=-_id']) {
      const found = matchesOf(await pagesOf(client, `${search}${sort}`));
      t.deepEqual(namesOf(found.filter(isLasting)).toSorted(), expected, sort);
    }
  };
  await rounds.reduce((inner, around) => around(inner), work)();
});
