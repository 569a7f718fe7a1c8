import type { SearchParameter } from '../fhir/index-values.js';
import type { LiftedTokens } from '../fhir/uplift.js';
import type { Condition } from '../storage/search-store.js';
import { toAlternatives } from './plan-composite.js';
import type { CopiedValues, Criterion, SearchValue } from './search-request.js';

/** The condition of values on index rows of the paths. */
type PlanValues = (paths: readonly string[], values: readonly SearchValue[] | null) => Condition;

/**
 * Values of systems that are lifted are asked of the rows that hold them bare; all others of the parameter's own rows,
 * which hold everything: what names no value, and what is to be unequal.
 */
export function planLifted(
  { paths, lifted }: Pick<SearchParameter, 'paths' | 'lifted'>,
  values: readonly SearchValue[] | null,
  plan: PlanValues,
): readonly Condition[] {
  if (values === null || !lifted || lifted.tokens.length === 0) return [plan(paths, values)];
  const rest = values.filter((value) => !placeOf(value, lifted.tokens));
  const bare = lifted.tokens.flatMap((place) => {
    const own = values.filter((value) => placeOf(value, lifted.tokens) === place);
    return own.length === 0 ? [] : [plan(place.paths, own.map(withoutSystem))];
  });
  return rest.length === 0 && bare.length > 0 ? bare : [...bare, plan(paths, rest)];
}

/** The first place, where a system is lifted to several. */
function placeOf(value: SearchValue, tokens: readonly LiftedTokens[]): LiftedTokens | undefined {
  return isEquality(value) ? tokens.find(({ system }) => system === value.system) : undefined;
}

type Token = Extract<SearchValue, { kind: 'token' | 'token-list' }>;

function isEquality(value: SearchValue): value is Token {
  if (value.kind === 'token-list') return true;
  return value.kind === 'token' && value.code !== undefined && value.unequal !== true;
}

function withoutSystem(value: SearchValue): SearchValue {
  return isEquality(value) ? { ...value, system: null } : value;
}

/**
 * Whether a chain may be answered by copies at one time and by references at another. Then its pages need an order that
 * both have.
 */
export function mayBeLifted(criterion: Criterion): boolean {
  switch (criterion.kind) {
    case 'chain':
      return criterion.parameter.lifted !== undefined;
    case 'has':
      return mayBeLifted(criterion.criterion);
    case 'all':
    case 'any':
      return criterion.of.some(mayBeLifted);
    case 'not':
      return mayBeLifted(criterion.of);
    case 'values':
    case 'missing':
    case 'member':
    case 'within':
      return false;
  }
}

/** Plans values of a parameter on index rows. */
type PlanParameter = (parameter: SearchParameter, values: readonly SearchValue[]) => Condition;

/**
 * A chain whose targets' values stand with the resource that refers: its own rows are asked instead. What else the
 * chain may lead to stays as it is.
 */
export function planCopied(
  chain: Condition,
  copies: readonly CopiedValues[] | undefined,
  plan: PlanParameter,
): Condition {
  if (!copies) return chain;
  if (chain.kind === 'any') return { ...chain, of: chain.of.map((part) => planCopied(part, copies, plan)) };
  if (chain.kind !== 'chain') return chain;
  const alternatives = copies.flatMap(({ parameter, values }) => toAlternatives(plan(parameter, values)));
  return { kind: 'element', parts: [alternatives] };
}
