import test from 'ava';
import type { CapabilityStatement } from 'fhir/r4.js';
import { searchParameterDefinitions } from '../../../src/fhir/definitions.js';
import { RESOURCE_TYPES } from '../../../src/fhir/r4/resource-types.js';
import { coveringResources, type Covered } from '../../oracle/covering-resources.js';
import { textsIn } from '../../oracle/query-values.js';
import { nameOf, SearchOracle } from '../../oracle/search-oracle.js';
import { load } from '../../oracle/search-world.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { matchesOf, namesOf, type Bundle } from './pages.js';

/** These find no element: the narrative, the whole text, and named queries of a server. */
const WITHOUT_ELEMENT = ['_content', '_query', '_text'];

/** Searches in flight. */
const CLIENTS = 4;

const types = [...RESOURCE_TYPES];
const covered = types.flatMap((type) => coveringResources(type, RESOURCE_TYPES));
const resources = [...new Set(covered.map(({ resource }) => resource))];
const server = await createTestServer({ contents: 'search-parameters' });
const client = new FhirClient(server.url);
const oracle = new SearchOracle(resources, client.base);
test.before(() => load(client, resources));
test.after.always(() => server.stop());

/** Which parameters the server says that it serves, as `Type code`. */
async function servedParameters(): Promise<ReadonlySet<string>> {
  const { body } = await client.get<CapabilityStatement>('metadata');
  return new Set(
    (body.rest?.[0]?.resource ?? []).flatMap(({ type, searchParam = [] }) =>
      searchParam.map(({ name }) => `${type} ${name}`),
    ),
  );
}

/** The first value of a parameter that must find the resource it is from. */
function telling({ resource, definition }: Covered): string | undefined {
  const { resourceType } = resource;
  return textsIn(resource, definition).find((text) =>
    oracle.search(resourceType, [[definition.code, text]]).includes(nameOf(resource)),
  );
}

test('every definition of R4 has a value in some generated resource, but those without an expression', (t) => {
  const found = new Set(covered.map(({ definition }) => definition.url));
  const without = searchParameterDefinitions().filter(({ url }) => !found.has(url));
  t.deepEqual(without.map(({ code }) => code).toSorted(), [...WITHOUT_ELEMENT, '_lastUpdated'].toSorted());
});

/** Undefined where the server finds what has the value and nothing else; else what is wrong. */
async function wrongWith(one: Covered): Promise<string | undefined> {
  const { resourceType } = one.resource;
  const { code } = one.definition;
  const text = telling(one);
  if (text === undefined) return `${resourceType} ${code} has no value that tells`;
  const expected = oracle.search(resourceType, [[code, text]]);
  // The server has search parameters of its own.
  const generated = resourceType === 'SearchParameter' ? '&_id=1' : '';
  const query = `${resourceType}?${code}=${encodeURIComponent(text)}${generated}&_count=100`;
  const { status, body } = await client.get<Bundle>(query);
  const found = status === 200 ? namesOf(matchesOf([body])).toSorted() : [];
  return found.join() === expected.join()
    ? undefined
    : `${query} answered ${status} with ${found.join()} instead of ${expected.join()}`;
}

test('every parameter of every type is indexed, and finds what has its value and nothing else', async (t) => {
  const served = await servedParameters();
  const asked = covered.filter(({ resource, definition: { code, base } }) => {
    const isOfAll = base.includes('Resource') && resource.resourceType !== 'Basic';
    return !isOfAll && served.has(`${resource.resourceType} ${code}`);
  });
  const wrong: string[] = [];
  const waiting = [...asked];
  const ask = async (): Promise<void> => {
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
      const found = await wrongWith(one);
      if (found !== undefined) wrong.push(found);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, ask));
  t.deepEqual(wrong, []);
  t.true(asked.length > 1375, `${asked.length} searches`);
});
