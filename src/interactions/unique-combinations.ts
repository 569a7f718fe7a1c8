import { extractIndexValues } from '../fhir/extract.js';
import {
  type IndexValues,
  type ReferenceValue,
  type SearchParameter,
  UNNAMED_TARGET,
} from '../fhir/index-values.js';
import { parseStored } from '../fhir/json.js';
import { FhirError } from '../model/errors.js';
import type { Resource } from '../model/resource.js';
import type { UniqueCombination } from '../search-parameters/unique-combination.js';
import type { Condition, ReferenceTest } from '../storage/search-store.js';
import type { ConditionClaim, CreateChange, UpdateChange } from '../storage/store.js';
import { atEntry } from './entry-error.js';
import type { Attempt, PlannedWrite } from './planned-write.js';
import { partitionOfChange, partitionsOf } from './search-parameter-writes.js';
import type { ServerParts } from './server-parts.js';

/** One value of one component: its text in a claim, and what finds it. */
interface ComponentValue {
  readonly text: string;
  readonly condition: Condition;
}

/** One combination of values that a resource has. */
interface Combination {
  readonly url: string;
  readonly claim: string;
  readonly conditions: readonly Condition[];
}

/** A change that stores a version. */
type Storing = CreateChange | UpdateChange;

/** Every value of one component is combined with every value of the others. */
const MAX_COMBINATIONS = 64;
/** Resources that are compared: a search may find some whose values are only like the ones in question. */
const MAX_COMPARED = 50;

/**
 * The same writes with a claim for each combination of values that a unique parameter covers, so that of several at
 * once one is stored. What was written before the parameter has no claim, and is searched for.
 * @throws FhirError DUPLICATE where another resource of the partition has the combination
 */
export async function claimUniques(
  server: ServerParts,
  writes: readonly PlannedWrite[],
  attempt: Attempt,
): Promise<readonly PlannedWrite[]> {
  if (!(await mayBeUnique(server, writes))) return writes;
  const taken = new Set<string>();
  const claimed: PlannedWrite[] = [];
  for (const write of writes) {
    const work = (): Promise<PlannedWrite> => claimWrite(server, write, { attempt, taken });
    claimed.push(write.entry === undefined ? await work() : await atEntry(write.entry, work));
  }
  return claimed;
}

async function mayBeUnique(
  { partitionParameters }: ServerParts,
  writes: readonly PlannedWrite[],
): Promise<boolean> {
  for (const partition of partitionsOf(writes))
    if ((await partitionParameters.of(partition)).uniques.size > 0) return true;
  return false;
}

async function claimWrite(
  server: ServerParts,
  write: PlannedWrite,
  { attempt, taken }: { readonly attempt: Attempt; readonly taken: Set<string> },
): Promise<PlannedWrite> {
  const { change } = write;
  if (!change || change.kind === 'delete') return write;
  const uniques: ConditionClaim[] = [];
  const parameters = await server.partitionParameters.of(partitionOfChange(change));
  for (const combination of newCombinations(parameters, change)) {
    const key = `${partitionOfChange(change)} ${change.type} ${combination.claim}`;
    if (taken.has(key) || (await isHeldByAnother({ ...server, parameters }, change, combination)))
      throw duplicate(change, combination);
    taken.add(key);
    const replaces = attempt.staleHolders.get(`${change.type}?${combination.claim}`);
    uniques.push({ condition: combination.claim, ...(replaces === undefined ? {} : { replaces }) });
  }
  return uniques.length === 0 ? write : { ...write, change: { ...change, uniques } };
}

/** What a resource has had all along is nobody else's by now, or was before the parameter came. */
function newCombinations(parameters: ServerParts['parameters'], change: Storing): readonly Combination[] {
  const before = change.kind === 'update' ? change.previousIndex : null;
  return parameters.uniquesOf(change.type).flatMap((unique) => {
    const old = new Set(before && combinationsOf(change.type, unique, before).map(({ claim }) => claim));
    return combinationsOf(change.type, unique, change.index).filter(({ claim }) => !old.has(claim));
  });
}

/** Found by the index, and compared by what is stored. */
async function isHeldByAnother(
  { searcher, resolver, parameters }: Pick<ServerParts, 'searcher' | 'resolver' | 'parameters'>,
  change: Storing,
  { url, claim, conditions }: Combination,
): Promise<boolean> {
  const scope = resolver.scopeOfJob(partitionOfChange(change));
  const plan = { type: change.type, where: { kind: 'all', of: conditions }, sort: [] } as const;
  const rows = await searcher.matching(scope, plan, MAX_COMPARED);
  const unique = parameters.uniquesOf(change.type).find((one) => one.url === url);
  return rows.some((row) => {
    if (change.kind === 'update' && row.rowId === change.current.rowId) return false;
    const index = extractIndexValues(parseStored(row.text) as Resource, parameters.current);
    return unique !== undefined && combinationsOf(row.type, unique, index).some((one) => one.claim === claim);
  });
}

function duplicate({ type }: Storing, { url }: Combination): FhirError {
  return new FhirError('DUPLICATE', `Another ${type} has the values that ${url} demands to be unique.`);
}

/** Every combination of values; none where a component has no value. @throws FhirError LIMIT_EXCEEDED */
function combinationsOf(
  type: string,
  { url, components }: UniqueCombination,
  index: IndexValues,
): readonly Combination[] {
  const values = components.map((component) => valuesOf(type, component, index));
  const count = values.reduce((product, one) => product * one.length, 1);
  if (count > MAX_COMBINATIONS) {
    throw new FhirError(
      'LIMIT_EXCEEDED',
      `The ${type} has more than ${MAX_COMBINATIONS} combinations for ${url}.`,
    );
  }
  const combined = values.reduce<readonly (readonly ComponentValue[])[]>(
    (all, one) => all.flatMap((parts) => one.map((value) => [...parts, value])),
    [[]],
  );
  return combined.map((parts) => ({
    url,
    claim: `unique ${url} ${JSON.stringify(parts.map(({ text }) => text))}`,
    conditions: parts.map(({ condition }) => condition),
  }));
}

function valuesOf(type: string, parameter: SearchParameter, index: IndexValues): readonly ComponentValue[] {
  const { paths, targetFilter } = parameter;
  const here = <Row extends { readonly path: string }>(rows: readonly Row[]): readonly Row[] =>
    rows.filter(({ path }) => paths.includes(path));
  const rows = { kind: 'index', type, paths } as const;
  switch (parameter.type) {
    case 'token':
      return here(index.tokens)
        .filter(({ value }) => value !== '')
        .map(({ system, value }) => ({
          text: `${system ?? ''}|${value}`,
          condition: { ...rows, index: 'token', tests: [{ system, value }] },
        }));
    case 'string':
      return here(index.strings).map(({ normalized, exact }) => ({
        text: exact,
        condition: { ...rows, index: 'string', tests: [{ match: 'exact', normalized, exact }] },
      }));
    case 'date':
      return here(index.dates).map(({ low, high }) => ({
        text: `${low}/${high}`,
        condition: { ...rows, index: 'date', tests: [{ comparison: 'eq', low, high }] },
      }));
    case 'uri':
      return here(index.uris).map(({ value }) => ({
        text: value,
        condition: { ...rows, index: 'uri', tests: [{ value }] },
      }));
    case 'number':
      return here(index.numbers).map(({ value }) => ({
        text: String(value),
        condition: {
          ...rows,
          index: 'number',
          tests: [{ comparison: 'ap', value, low: value, high: value }],
        },
      }));
    case 'reference':
      return here(index.references).flatMap((reference) =>
        referenceValues(reference, targetFilter).map(({ text, test }) => ({
          text,
          condition: { ...rows, index: 'reference', targetFilter, tests: [test] },
        })),
      );
    default:
      return [];
  }
}

/** What names no target is no value. */
function referenceValues(
  { type, id, url }: ReferenceValue,
  targetFilter: string | null,
): readonly { readonly text: string; readonly test: ReferenceTest }[] {
  if (type !== null && id !== null) {
    if (targetFilter !== null && type !== targetFilter) return [];
    return [{ text: `${type}/${id}`, test: { kind: 'local', types: [type], id } }];
  }
  if (url === null || url === UNNAMED_TARGET) return [];
  return [{ text: url, test: { kind: 'url', url, anyVersion: false } }];
}
