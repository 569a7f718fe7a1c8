import { isDeepStrictEqual } from 'node:util';
import type { LiftedChain } from '../fhir/uplift.js';
import type { PartitionId, PartitionScope } from '../model/partition.js';
import type { SearchStore } from '../storage/search-store.js';
import { isCanonical } from './canonical-chain.js';
import type { ChainTarget, CopiedValues, Criterion } from './search-request.js';

type ChainCriterion = Extract<Criterion, { kind: 'chain' }>;

/** What tells whether copies may stand for what they were copied from. */
interface LiftingParts {
  readonly store: SearchStore;
  readonly scope: PartitionScope;
  /** Told where copies are not to be trusted. */
  readonly onStaleCopies?: (partition: PartitionId) => void;
}

/** Whether the chain may be answered by copies. */
export function isLifted({ parameter }: ChainCriterion): boolean {
  return parameter.lifted !== undefined && parameter.lifted.chains.length > 0 && !isCanonical(parameter);
}

/**
 * A chain with what is copied for it. Copies are of resources of the same partition, so that a scope of several, or
 * one that leaves types or resources out, follows the references; so does one in which copies wait to be renewed.
 */
export async function liftChain(chain: ChainCriterion, parts: LiftingParts): Promise<Criterion> {
  const { store, scope, onStaleCopies } = parts;
  const [partition, ...others] = scope.partitions;
  if (partition === undefined || others.length > 0 || scope.types) return chain;
  if (scope.access && !chain.targets.every(({ type }) => isOpen(scope.access, type))) return chain;
  const lifted = chain.targets.flatMap((target) => toCopied(chain, target) ?? []);
  if (lifted.length === 0) return chain;
  const covered = lifted.map(({ target }) => target);
  if (await store.hasStaleCopies(scope, [...new Set(covered.map(({ type }) => type))])) {
    onStaleCopies?.(partition);
    return chain;
  }
  const copied: Criterion = { ...chain, targets: covered, copies: combined(lifted) };
  const rest = chain.targets.filter((target) => !covered.includes(target));
  return rest.length === 0 ? copied : { kind: 'any', of: [copied, { ...chain, targets: rest }] };
}

/** Copies tell nothing of whose they are. */
function isOpen(scoped: PartitionScope['access'], type: string): boolean {
  return scoped === undefined || scoped.access.grantOf('search', type).kind === 'all';
}

/** The types whose values the criteria take from copies. */
export function copiedTypes(criteria: readonly Criterion[]): readonly string[] {
  return [...new Set(criteria.flatMap(typesOf))];
}

function typesOf(criterion: Criterion): readonly string[] {
  switch (criterion.kind) {
    case 'chain':
      return criterion.copies ? criterion.targets.map(({ type }) => type) : [];
    case 'has':
      return typesOf(criterion.criterion);
    case 'all':
    case 'any':
      return criterion.of.flatMap(typesOf);
    case 'not':
      return typesOf(criterion.of);
    case 'values':
    case 'missing':
    case 'member':
    case 'within':
      return [];
  }
}

interface Lifted {
  readonly target: ChainTarget;
  readonly copied: CopiedValues;
}

/** Undefined for what copies do not tell: anything but values of the very parameter that is copied. */
function toCopied({ parameter: { lifted } }: ChainCriterion, target: ChainTarget): Lifted | undefined {
  const { criterion, type } = target;
  if (criterion.kind !== 'values' || criterion.negated) return undefined;
  const { parameter, values } = criterion;
  const isCopied = (chain: LiftedChain): boolean =>
    chain.targetType === type &&
    chain.code === parameter.code &&
    chain.kind === parameter.type &&
    isDeepStrictEqual(chain.targetPaths, parameter.paths);
  const chain = lifted?.chains.find(isCopied);
  if (!chain) return undefined;
  const { paths, tokens } = chain;
  return { target, copied: { parameter: { ...parameter, paths, lifted: { tokens, chains: [] } }, values } };
}

/** Types whose values are asked for in the same way are asked at once. */
function combined(lifted: readonly Lifted[]): readonly CopiedValues[] {
  const groups: CopiedValues[] = [];
  for (const { copied } of lifted) {
    const at = groups.findIndex(
      ({ parameter, values }) =>
        parameter.type === copied.parameter.type && isDeepStrictEqual(values, copied.values),
    );
    const group = groups[at];
    if (group === undefined) groups.push(copied);
    else groups[at] = { ...group, parameter: together(group.parameter, copied.parameter) };
  }
  return groups;
}

function together(
  one: CopiedValues['parameter'],
  other: CopiedValues['parameter'],
): CopiedValues['parameter'] {
  const [first = [], second = []] = [one.lifted?.tokens, other.lifted?.tokens];
  const systems = new Set(first.map(({ system }) => system));
  const tokens = second
    .filter(({ system }) => systems.has(system))
    .map(({ system, paths }) => ({
      system,
      paths: [...(first.find((place) => place.system === system)?.paths ?? []), ...paths],
    }));
  return { ...one, paths: [...one.paths, ...other.paths], lifted: { tokens, chains: [] } };
}
