import type { PartitionId, PartitionScope } from '../model/partition.js';
import type { SearchStore } from '../storage/search-store.js';
import { isCanonical, resolveCanonicalChain } from './canonical-chain.js';
import { countedLookup, isCodeList, resolveCodeLists, type CodeListParts } from './code-lists.js';
import { isHierarchy, resolveHierarchies } from './hierarchy.js';
import { isLifted, liftChain } from './lifted-chain.js';
import type { Criterion, SearchRequest, SearchValue } from './search-request.js';

/** What is looked up with, always in the search's own scope; codes come from DEFAULT. */
export interface Resolving extends CodeListParts {
  readonly store: SearchStore;
  readonly scope: PartitionScope;
  /** DEFAULT's. */
  readonly definitions: PartitionScope;
  /** Told where copies of what chains lead to are not to be trusted. */
  readonly onStaleCopies?: (partition: PartitionId) => void;
  /** What is asked may be contained, as what a chain leads to: nothing is copied for that. */
  readonly mayBeContained?: true;
}

/** What a search asks for. */
type Asked = Pick<SearchRequest, 'criteria'> & Partial<Pick<SearchRequest, 'contained'>>;

/**
 * Replaces what has to be looked up first by plain values, so that planning needs nobody. A request without such
 * values costs nothing.
 * @throws FhirError LIMIT_EXCEEDED where there is too much of it
 */
export async function resolveSearch<Request extends Asked>(
  request: Request,
  resolving: Resolving,
): Promise<Request> {
  if (!request.criteria.some(isOpen)) return request;
  const { contained } = request;
  const counted = {
    ...resolving,
    codes: countedLookup(resolving),
    ...(contained && { mayBeContained: true as const }),
  };
  const criteria: Criterion[] = [];
  for (const criterion of request.criteria) criteria.push(await resolveCriterion(criterion, counted));
  return { ...request, criteria };
}

/** Whether anything of the criterion is still to be looked up. */
function isOpen(criterion: Criterion): boolean {
  switch (criterion.kind) {
    case 'values':
      return criterion.values.some(isOpenValue);
    case 'missing':
    case 'member':
    // Made of what was looked up.
    case 'within':
      return false;
    case 'chain':
      return (
        isCanonical(criterion.parameter) ||
        isLifted(criterion) ||
        criterion.targets.some((target) => isOpen(target.criterion))
      );
    case 'has':
      return isOpen(criterion.criterion);
    case 'all':
    case 'any':
      return criterion.of.some(isOpen);
    case 'not':
      return isOpen(criterion.of);
  }
}

function isOpenValue(value: SearchValue): boolean {
  return isHierarchy(value) || isCodeList(value);
}

async function resolveCriterion(criterion: Criterion, resolving: Resolving): Promise<Criterion> {
  if (!isOpen(criterion)) return criterion;
  switch (criterion.kind) {
    case 'values': {
      const values = await resolveCodeLists(criterion, resolving);
      return { ...criterion, values: await resolveHierarchies(values, resolving.store, resolving.scope) };
    }
    case 'missing':
    case 'member':
    case 'within':
      return criterion;
    case 'chain': {
      const targets = await eachInTurn(criterion.targets, async (target) => ({
        ...target,
        criterion: await resolveCriterion(target.criterion, { ...resolving, mayBeContained: true }),
      }));
      const chain = { ...criterion, targets };
      if (isCanonical(chain.parameter)) return resolveCanonicalChain(chain, resolving);
      return isLifted(chain) && !resolving.mayBeContained ? liftChain(chain, resolving) : chain;
    }
    case 'has':
      return { ...criterion, criterion: await resolveCriterion(criterion.criterion, resolving) };
    case 'all':
    case 'any':
      return {
        ...criterion,
        of: await eachInTurn(criterion.of, (part) => resolveCriterion(part, resolving)),
      };
    case 'not':
      return { ...criterion, of: await resolveCriterion(criterion.of, resolving) };
  }
}

/** One after another: a search with many values must not take all connections. */
async function eachInTurn<Item>(
  items: readonly Item[],
  resolve: (item: Item) => Promise<Item>,
): Promise<readonly Item[]> {
  const resolved: Item[] = [];
  for (const item of items) resolved.push(await resolve(item));
  return resolved;
}
