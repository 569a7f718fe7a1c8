import type { Bundle as AnyBundle, CapabilityStatement, FhirResource } from 'fhir/r4.js';
import type { Interceptor } from '../../src/hooks/interceptor.js';
import { createTestServer, type TestServer } from '../support/test-server.js';
import { codeOf, FhirClient } from '../contract/support/fhir-client.js';
import { matchesOf, pagesOf } from '../contract/search/pages.js';
import { Random } from '../contract/search/random.js';
import { generateResource } from './generated-resources.js';
import { parameterOf } from './parameters.js';
import { modifiersOf } from './query-values.js';
import type { Served } from './random-queries.js';
import { SAMPLE_TERMINOLOGY } from './sample-codes.js';
import { nameOf, SearchOracle } from './search-oracle.js';

/** Types that have, among them, every kind of parameter and references in every direction. */
export const TYPES = [
  'Patient',
  'Observation',
  'Encounter',
  'Condition',
  'Organization',
  'Location',
  'Practitioner',
  'RiskAssessment',
  'Group',
  'MedicationRequest',
  'Invoice',
  'Measure',
  'Goal',
  'DocumentReference',
  'MolecularSequence',
  'List',
] as const;

/** A tenant of a server, and what should be found in it. */
export interface SearchTenant {
  readonly name: string;
  readonly client: FhirClient;
  readonly oracle: SearchOracle;
  /** How many resources were stored before each, by its name. */
  readonly ages: ReadonlyMap<string, number>;
}

/** A server with two tenants that hold different resources under the same ids, and two empty ones. */
export interface SearchWorld {
  readonly server: TestServer;
  readonly tenants: readonly SearchTenant[];
  readonly served: Served;
}

/** Makes a server and fills it, the same for the same seed. `size` resources of each type. */
export async function createSearchWorld(
  seed: number,
  size: number,
  interceptors: readonly Interceptor[] = [],
): Promise<SearchWorld> {
  const server = await createTestServer({
    partitions: ['acme', 'beta', 'busy', 'synthetic'],
    interceptors,
  });
  const client = new FhirClient(server.url);
  await load(client, SAMPLE_TERMINOLOGY);
  const tenants: SearchTenant[] = [];
  for (const [at, name] of ['acme', 'beta'].entries()) {
    const tenant = client.tenant(name);
    tenants.push(await fillTenant(name, tenant, generateTenant(seed * 2 + at, size)));
  }
  return { server, tenants, served: await servedBy(client.tenant('acme')) };
}

/** Stores the resources, and reads them as the server has them. */
export async function fillTenant(
  name: string,
  client: FhirClient,
  resources: readonly FhirResource[],
): Promise<SearchTenant> {
  await load(client, resources);
  const types = [...new Set(resources.map(({ resourceType }) => resourceType))];
  return {
    name,
    client,
    oracle: new SearchOracle(await readAll(client, types), client.base),
    ages: new Map(resources.map((resource, age) => [nameOf(resource), age])),
  };
}

function generateTenant(seed: number, size: number): FhirResource[] {
  const ids = Array.from({ length: size }, (_, n) => String(n + 1));
  const generation = { random: new Random(seed), rarity: 3, targets: new Set<string>(TYPES), ids };
  return TYPES.flatMap((type) => ids.map((id) => generateResource(type, id, generation)));
}

/** Stores resources that may refer to each other. @throws Error with the answer where they are refused */
export async function load(client: FhirClient, resources: readonly FhirResource[]): Promise<void> {
  const entry = resources.map((resource) => ({
    resource,
    request: { method: 'PUT' as const, url: `${resource.resourceType}/${resource.id}` },
  }));
  const bundle: AnyBundle = { resourceType: 'Bundle', type: 'transaction', entry };
  const { status, text } = await client.post('', bundle);
  if (status !== 200) throw new Error(`The samples were answered with ${status}: ${text.slice(0, 2000)}`);
}

/** All resources of the types, with what the server adds to them. */
export async function readAll(client: FhirClient, types: readonly string[]): Promise<FhirResource[]> {
  const all: FhirResource[] = [];
  for (const type of types) all.push(...matchesOf(await pagesOf(client, `${type}?_count=100`)));
  return all;
}

/** Parameters whose modifiers are asked for, one for each kind. */
const PROBES = [
  ['Patient', 'family'],
  ['Patient', 'identifier'],
  ['Observation', 'subject'],
  ['Measure', 'url'],
] as const;

/** What the server says that it serves: parameters by its CapabilityStatement, modifiers by trying them. */
async function servedBy(client: FhirClient): Promise<Served> {
  const { body } = await client.get<CapabilityStatement>('metadata');
  const listed = new Set(
    (body.rest?.[0]?.resource ?? []).flatMap(({ type, searchParam = [] }) =>
      searchParam.map(({ name }) => `${type} ${name}`),
    ),
  );
  const modifiers = new Set<string>();
  for (const [type, code] of PROBES) {
    const kind = parameterOf(type, code).type;
    for (const modifier of modifiersOf(kind)) {
      const answer = await client.get(`${type}?${code}:${modifier}=a%7Cb`);
      if (codeOf(answer) !== 'UNKNOWN_SEARCH_PARAMETER') modifiers.add(`${kind} ${modifier}`);
    }
  }
  return {
    types: TYPES,
    isServed: (type, code, modifier) =>
      listed.has(`${type} ${code}`) &&
      (modifier === undefined ||
        (modifier === 'missing' && parameterOf(type, code).type !== 'special') ||
        modifiers.has(`${parameterOf(type, code).type} ${modifier}`)),
  };
}
