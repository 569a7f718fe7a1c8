import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { FhirResource } from 'fhir/r4.js';
import { compartmentParameters } from '../../../src/fhir/compartments.js';
import { parameterOf, parametersOf } from '../../oracle/parameters.js';
import { printQuery, queryString, RandomQueries, type RandomQuery } from '../../oracle/random-queries.js';
import { SearchOracle } from '../../oracle/search-oracle.js';
import { createSearchWorld, type SearchTenant } from '../../oracle/search-world.js';
import { codeOf } from '../support/fhir-client.js';
import { entriesOf, matchesOf, namesOf, pagesOf, type Bundle } from '../search/pages.js';
import { as, believing, type TokenClient } from './fixtures.js';

const SEARCHES = Number(process.env['BULKHEAD_TEST_SEARCHES'] ?? 150);
const SEED = Number(process.env['BULKHEAD_TEST_SEED'] ?? 1);
/** Resources of each type. */
const SIZE = 8;
const MANY = 1000;

const world = await createSearchWorld(SEED, SIZE, [believing]);
test.after.always(() => world.server.stop());
const [tenant] = world.tenants as readonly [SearchTenant];

/** What a scope opens, said once more for whoever looks at every resource. */
interface Opened {
  readonly type: string;
  readonly isOf?: 'patient';
  readonly criteria?: readonly [name: string, value: string];
}

interface Token {
  readonly patient: string;
  readonly scopes: string;
  readonly opened: readonly Opened[];
}

const TOKENS: readonly Token[] = [
  { patient: '3', scopes: 'patient/*.rs', opened: [{ type: '*', isOf: 'patient' }] },
  {
    patient: '5',
    scopes:
      'patient/*.read system/Observation.rs?status:not=final system/Encounter.rs system/Group.rs?actual=true',
    opened: [
      { type: '*', isOf: 'patient' },
      { type: 'Observation', criteria: ['status:not', 'final'] },
      { type: 'Encounter' },
      { type: 'Group', criteria: ['actual', 'true'] },
    ],
  },
  {
    patient: '2',
    scopes:
      'system/Patient.rs?gender=male,female,other patient/Condition.rs system/Observation.rs?date=ge2015' +
      ' system/Practitioner.rs system/List.rs system/Location.rs?name:missing=false',
    opened: [
      { type: 'Patient', criteria: ['gender', 'male,female,other'] },
      { type: 'Condition', isOf: 'patient' },
      { type: 'Observation', criteria: ['date', 'ge2015'] },
      { type: 'Practitioner' },
      { type: 'List' },
      { type: 'Location', criteria: ['name:missing', 'false'] },
    ],
  },
];

/** Read with a record, though they are no part of it. */
const OUTSIDE = new Set(['Practitioner', 'Organization', 'Location']);

function isSeen(resource: FhirResource, { patient, opened }: Token): boolean {
  const { resourceType: type } = resource;
  return opened.some((one) => {
    if (one.type !== '*' && one.type !== type) return false;
    if (one.isOf && !OUTSIDE.has(type) && !isMember(resource, patient)) return false;
    return one.criteria === undefined || tenant.oracle.holds(resource, ...one.criteria);
  });
}

function isMember(resource: FhirResource, patient: string): boolean {
  const { resourceType: type, id } = resource;
  if (type === 'Patient') return id === patient;
  const codes = compartmentParameters('Patient', type).filter((code) => parametersOf(type).has(code));
  return codes.some((code) =>
    tenant.oracle.targetsOf(resource, parameterOf(type, code)).includes(`Patient/${patient}`),
  );
}

/** Whether a type that the search names is not opened at all. */
function mayBeRefused({ opened }: Token, query: RandomQuery): boolean {
  const text = `${printQuery(query)} ${query.parts.some(([name]) => name === '_list') ? 'List' : ''}`;
  if (opened.some(({ type }) => type === '*')) return false;
  const closed = world.served.types.filter((type) => !opened.some((one) => one.type === type));
  return query.parts.some(([name]) => name === '_filter') || closed.some((type) => text.includes(type));
}

const queries = new RandomQueries(tenant.oracle, world.served);
const everything = world.served.types.flatMap((type) => tenant.oracle.resourcesOf(type));

async function compare(client: TokenClient, token: Token, query: RandomQuery): Promise<number> {
  const oracle = new SearchOracle(
    everything.filter((resource) => isSeen(resource, token)),
    tenant.client.base,
  );
  const url = `${query.type}?${queryString([...query.parts, ['_count', '3']])}`;
  const answer = await client.get<Bundle>(url);
  if (codeOf(answer) === 'FORBIDDEN') {
    if (mayBeRefused(token, query)) return 0;
    throw new Error(`${printQuery(query)} was refused: ${answer.text}`);
  }
  const found = namesOf(matchesOf(await pagesOf(client, url))).toSorted();
  const expected = oracle.search(query.type, query.parts);
  if (found.join() !== expected.join())
    throw new Error(`${printQuery(query)}\nfound    ${found.join()}\nexpected ${expected.join()}`);
  return expected.length;
}

async function compareIncludes(client: TokenClient, token: Token, query: RandomQuery): Promise<number> {
  const oracle = new SearchOracle(
    everything.filter((resource) => isSeen(resource, token)),
    tenant.client.base,
  );
  const answer = await client.get<Bundle>(
    `${query.type}?${queryString([...query.parts, ['_count', String(MANY)]])}`,
  );
  if (codeOf(answer) === 'FORBIDDEN' && mayBeRefused(token, query)) return 0;
  if (answer.status !== 200) throw new Error(`${printQuery(query)} was answered with ${answer.text}`);
  const found = namesOf(entriesOf([answer.body], 'include')).toSorted();
  const expected = oracle.includes(query.type, query.parts);
  if (found.join() !== expected.join())
    throw new Error(`${printQuery(query)}\nincluded ${found.join()}\nexpected ${expected.join()}`);
  return expected.length;
}

async function assertHolds(
  t: ExecutionContext,
  property: fc.IAsyncProperty<unknown>,
  runs: number,
): Promise<void> {
  const { failed, counterexample, errorInstance } = await fc.check(property, { seed: SEED, numRuns: runs });
  if (failed) t.fail(`${String(errorInstance)}\n${JSON.stringify(counterexample)}`);
  t.false(failed);
}

for (const token of TOKENS) {
  const client = as(tenant.client, token.scopes, { patient: token.patient });

  test(`a token for ${token.scopes} finds what a look at all that it opens finds`, async (t) => {
    let matches = 0;
    const property = fc.asyncProperty(queries.query(), async (query) => {
      matches += await compare(client, token, query);
    });
    await assertHolds(t, property, SEARCHES);
    t.true(matches > 0, 'searches that find nothing prove little');
  });

  test(`a token for ${token.scopes} includes what a look at all that it opens includes`, async (t) => {
    let included = 0;
    const property = fc.asyncProperty(queries.includes(), async (query) => {
      included += await compareIncludes(client, token, query);
    });
    await assertHolds(t, property, SEARCHES);
    t.true(included > 0, 'includes that bring nothing prove little');
  });

  test(`a token for ${token.scopes} reads what it opens, and nothing else`, async (t) => {
    for (const resource of everything) {
      const { status } = await client.get(`${resource.resourceType}/${resource.id}`);
      const expected = isSeen(resource, token) ? [200] : [403, 404];
      t.true(expected.includes(status), `${resource.resourceType}/${resource.id} ${status}`);
    }
  });
}
