import { FhirError } from '../model/errors.js';
import { NON_PARTITIONABLE_TYPES, type PartitionScope } from '../model/partition.js';
import type { SearchRow, SearchStore } from '../storage/search-store.js';
import type { SearchParameter } from '../fhir/index-values.js';
import { planCriterion } from './plan.js';
import type { Criterion } from './search-request.js';

type ChainCriterion = Extract<Criterion, { kind: 'chain' }>;

/** What the targets are looked up with. */
export interface CanonicalParts {
  readonly store: SearchStore;
  /** The search's own. */
  readonly scope: PartitionScope;
  /** DEFAULT's, for the types that are kept there. */
  readonly definitions: PartitionScope;
}

/** Most resources that a chain may find by their canonical URLs; their texts are read. */
const MAX_TARGETS = 1000;

/** Whether the parameter's references name resources by canonical URLs alone. */
export function isCanonical({ type, valueTypes }: SearchParameter): boolean {
  return type === 'reference' && valueTypes.length > 0 && !valueTypes.includes('Reference');
}

/**
 * A chain through canonical URLs as the list of the URLs that it may lead to, with and without version: no row links
 * such references to their targets. What the resource itself contains is followed besides.
 * @throws FhirError LIMIT_EXCEEDED where the targets are too many
 */
export async function resolveCanonicalChain(
  { parameter, targets }: ChainCriterion,
  { store, scope, definitions }: CanonicalParts,
): Promise<Criterion> {
  const urls: string[] = [];
  for (const { type, criterion } of targets) {
    const plan = { type, where: planCriterion(type, criterion), sort: [] };
    const where = NON_PARTITIONABLE_TYPES.has(type) ? definitions : scope;
    const rows = await store.page(where, plan, { count: MAX_TARGETS + 1 });
    if (rows.length > MAX_TARGETS) throw tooMany(parameter.code, type);
    urls.push(...rows.flatMap(toUrls));
  }
  const values = [{ kind: 'urls' as const, urls: [...new Set(urls)] }];
  const stored = { kind: 'values' as const, parameter, values, negated: false };
  return { kind: 'any', of: [stored, { kind: 'within', parameter, targets }] };
}

/** What the references to a resource say, if they name it by its canonical URL. */
export function toUrls({ text }: Pick<SearchRow, 'text'>): readonly string[] {
  const { url, version } = JSON.parse(text) as { readonly url?: unknown; readonly version?: unknown };
  if (typeof url !== 'string') return [];
  return typeof version === 'string' ? [url, `${url}|${version}`] : [url];
}

function tooMany(code: string, type: string): FhirError {
  return new FhirError(
    'LIMIT_EXCEEDED',
    `The chain through "${code}" leads to more than ${MAX_TARGETS} resources of type ${type}; narrow it.`,
  );
}
