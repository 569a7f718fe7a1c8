import test from 'ava';
import fc from 'fast-check';
import {
  isOfContained,
  isOfSelfContained,
  loadContained,
  loadSelfContained,
} from '../../oracle/contained-world.js';
import { printQuery, queryString, RandomQueries, type RandomQuery } from '../../oracle/random-queries.js';
import { createSearchWorld, readAll, type SearchTenant, TYPES } from '../../oracle/search-world.js';
import { FhirClient } from '../support/fhir-client.js';
import { matchesOf, namesOf, pagesOf } from './pages.js';

const SEARCHES = Number(process.env['BULKHEAD_TEST_SEARCHES'] ?? 200);
const SEED = Number(process.env['BULKHEAD_TEST_SEED'] ?? 1);
const SIZE = 6;

const world = await createSearchWorld(SEED, SIZE);
const [acme] = world.tenants as [SearchTenant];
const queries = new RandomQueries(acme.oracle, world.served);
const inside = new FhirClient(world.server.url).tenant('busy');
test.after.always(() => world.server.stop());

test.before(async () => {
  const resources = await readAll(acme.client, TYPES);
  await loadContained(acme.client, resources);
  await loadSelfContained(inside, resources);
});

/** Judges random queries of a kind; answers how many matches there were. @throws Error where one is answered wrongly */
async function judge(
  isAsked: (query: RandomQuery) => boolean,
  found: (query: RandomQuery) => Promise<readonly string[]>,
): Promise<number> {
  let matches = 0;
  const sample = fc.sample(queries.query().filter(isAsked), { seed: SEED, numRuns: SEARCHES });
  for (const query of sample) {
    const expected = acme.oracle.search(query.type, query.parts);
    const names = await found(query);
    matches += expected.length;
    if (names.join() !== expected.join())
      throw new Error(`${printQuery(query)}\nfound    ${names.join()}\nexpected ${expected.join()}`);
  }
  return matches;
}

test('contained resources are found as they would be found if they stood alone', async (t) => {
  const matches = await judge(isOfContained, async ({ type, parts }) => {
    const search = `${type}?${queryString(parts)}&_contained=true&_containedType=contained&_count=3`;
    const pages = await pagesOf(acme.client, search);
    const found = namesOf(matchesOf(pages)).toSorted();
    t.is(pages[0]?.total, found.length, search);
    return found;
  });
  t.true(matches > SEARCHES / 2, `${matches} matches`);
});

test('with both, what stands alone and what is contained come each once', async (t) => {
  await judge(isOfContained, async ({ type, parts }) => {
    const search = `${type}?${queryString(parts)}&_contained=both&_containedType=contained&_count=100`;
    const found = namesOf(matchesOf(await pagesOf(acme.client, search)));
    const once = [...new Set(found)];
    t.is(found.length, 2 * once.length, search);
    return once.toSorted();
  });
});

test('chains find contained resources as they would find stored ones', async (t) => {
  const matches = await judge(isOfSelfContained, async ({ type, parts }) =>
    namesOf(matchesOf(await pagesOf(inside, `${type}?${queryString(parts)}&_count=100`))).toSorted(),
  );
  t.true(matches > SEARCHES / 4, `${matches} matches`);
});
