import type { ReferenceValue, SearchParameter } from '../fhir/index-values.js';
import { RESOURCE_TYPES } from '../fhir/r4/resource-types.js';
import { NON_PARTITIONABLE_TYPES, type PartitionScope } from '../model/partition.js';
import type { SearchRow, SearchStore, TypedPaths } from '../storage/search-store.js';
import { toUrls } from './canonical-chain.js';
import type { SearchParameterSource } from './parse-context.js';
import type { Include } from './search-request.js';

/** What references by canonical URL are followed with. */
export interface CanonicalParts {
  readonly store: SearchStore;
  readonly scope: PartitionScope;
  /** DEFAULT's, for the types that are kept there. */
  readonly definitions: PartitionScope;
  readonly parameters: SearchParameterSource;
  /** The references of a stored resource, from its text. */
  readonly referencesOf: (text: string) => readonly Pick<ReferenceValue, 'path' | 'url'>[];
  /** Most resources to answer. */
  readonly limit: number;
}

/**
 * Resources that are named by canonical URL: no row links them. A reference with a version leads to that version, one
 * without to any. At most one statement for what DEFAULT keeps and one for the rest.
 */
export async function followCanonical(
  parts: CanonicalParts,
  include: Include,
  from: readonly SearchRow[],
): Promise<readonly SearchRow[]> {
  if (include.parameter !== null && !mayBeCanonical(include.parameter)) return [];
  return include.direction === 'include'
    ? followForward(parts, include, from)
    : followBack(parts, include, from);
}

function mayBeCanonical({ valueTypes }: SearchParameter): boolean {
  return valueTypes.includes('canonical') || valueTypes.includes('uri');
}

async function followForward(
  parts: CanonicalParts,
  { parameter, sourceType, targetType }: Include,
  from: readonly SearchRow[],
): Promise<readonly SearchRow[]> {
  const references = from
    .filter(({ type }) => type === sourceType)
    .flatMap(({ text }) => parts.referencesOf(text))
    .filter(({ path }) => parameter === null || parameter.paths.includes(path));
  const wanted = new Set(references.flatMap(({ url }) => (url?.includes(':') ? [url] : [])));
  if (wanted.size === 0) return [];
  const values = [...new Set([...wanted].map((url) => url.split('|', 1)[0] ?? url))];
  const rows: SearchRow[] = [];
  for (const places of placesOf(parts, parameter, targetType)) {
    const [first, ...others] = places;
    if (first === undefined) continue;
    const where = { kind: 'index' as const, index: 'uri' as const, ...first, others, tests: [{ values }] };
    const plan = { type: places.map(({ type }) => type), where, sort: [] };
    rows.push(...(await parts.store.page(scopeOf(parts, first.type), plan, { count: parts.limit + 1 })));
  }
  return rows.filter((row) => toUrls(row).some((url) => wanted.has(url)));
}

/** Where resources have their canonical URLs: types that DEFAULT keeps, and all others. */
function placesOf(
  { parameters }: CanonicalParts,
  parameter: SearchParameter | null,
  targetType: string | null,
): readonly (readonly TypedPaths[])[] {
  const targets = parameter === null || parameter.targets.length === 0 ? RESOURCE_TYPES : parameter.targets;
  const places = [...targets]
    .filter((type) => targetType === null || type === targetType)
    .map((type) => ({ type, paths: urlPathsOf(parameters, type) }))
    .filter(({ paths }) => paths.length > 0);
  return [places.filter(isPinned), places.filter((place) => !isPinned(place))];
}

function isPinned({ type }: TypedPaths): boolean {
  return NON_PARTITIONABLE_TYPES.has(type);
}

function urlPathsOf(parameters: SearchParameterSource, type: string): readonly string[] {
  const url = parameters.find(type, 'url');
  return url?.type === 'uri' ? url.paths : [];
}

async function followBack(
  parts: CanonicalParts,
  { parameter, sourceType, targetType }: Include,
  from: readonly SearchRow[],
): Promise<readonly SearchRow[]> {
  const urls = from.filter(({ type }) => targetType === null || type === targetType).flatMap(toUrls);
  if (urls.length === 0) return [];
  const parameters = parameter === null ? parts.parameters.list(sourceType) : [parameter];
  const paths = parameters
    .filter((one) => one.type === 'reference' && mayBeCanonical(one))
    .flatMap((one) => one.paths);
  if (paths.length === 0) return [];
  const tests = [{ kind: 'urls' as const, urls }];
  const where = {
    kind: 'index',
    index: 'reference',
    type: sourceType,
    paths,
    targetFilter: null,
    tests,
  } as const;
  const plan = { type: sourceType, where, sort: [] };
  return parts.store.page(scopeOf(parts, sourceType), plan, { count: parts.limit + 1 });
}

function scopeOf({ scope, definitions }: CanonicalParts, type: string): PartitionScope {
  return NON_PARTITIONABLE_TYPES.has(type) ? definitions : scope;
}
