import { combineAll } from './combined-conditions.js';
import type { Condition, ContainedCondition, SearchPlan } from './search-store.js';

/** What resources of each type must be; null: whatever they are. Of types that are left out there is nothing. */
export type Limits = ReadonlyMap<string, Condition | null>;

/** A condition that no resource meets. */
const NEVER: Condition = { kind: 'any', of: [] };

/** The types of all resources that a plan looks at. */
export function typesIn(plan: SearchPlan): ReadonlySet<string> {
  const types = new Set<string>([plan.type].flat());
  collect(plan.where, types);
  if (plan.contained) collect(plan.contained, types);
  return types;
}

function collect(condition: Condition, types: Set<string>): void {
  switch (condition.kind) {
    case 'all':
    case 'any':
      for (const part of condition.of) collect(part, types);
      return;
    case 'not':
      return collect(condition.of, types);
    case 'chain':
      for (const { type, where } of condition.targets) {
        types.add(type);
        collect(where, types);
      }
      return;
    case 'has':
      for (const type of [condition.type].flat()) types.add(type);
      return collect(condition.where, types);
    case 'contained':
      for (const type of condition.within ?? []) types.add(type);
      return collect(condition.where, types);
    case 'ids':
    case 'types':
    case 'updated':
    case 'index':
    case 'element':
      return;
  }
}

/** The same plan, in which every resource that is looked at is within the limits. Without limits it is the plan itself. */
export function planWithin(plan: SearchPlan, limits: Limits): SearchPlan {
  if ([...typesIn(plan)].every((type) => limits.get(type) === null)) return plan;
  const node = nodeWithin(plan.type, limits);
  const { contained } = plan;
  return {
    ...plan,
    type: node?.type ?? [],
    where: node === null ? NEVER : conjoined(node.guard, conditionWithin(plan.where, limits)),
    ...(contained && { contained: answeredWithin(contained, plan.type, limits) }),
  };
}

/** What may be looked at of one type or of several, and what it must be. */
interface Node {
  readonly type: SearchPlan['type'];
  readonly guard: Condition | null;
}

/**
 * Null where nothing is left. Conditions over several types name the rows of each, and find them whatever types the
 * plan asks for: where types fall away, what is found must be of those that are left.
 */
function nodeWithin(asked: SearchPlan['type'], limits: Limits): Node | null {
  if (typeof asked === 'string') {
    const limit = limits.get(asked);
    return limit === undefined ? null : { type: asked, guard: limit };
  }
  const left = asked.filter((type) => limits.has(type));
  if (left.length === 0) return null;
  const isNarrower = left.length < asked.length;
  return { type: left, guard: guardOf(left, limits) ?? (isNarrower ? { kind: 'types', types: left } : null) };
}

/** Types with one limit have one condition over the rows of all of them. */
function guardOf(types: readonly string[], limits: Limits): Condition | null {
  const open = types.filter((type) => limits.get(type) === null);
  const limited = types.flatMap((type) => {
    const where = limits.get(type);
    return where ? [{ type, where }] : [];
  });
  if (limited.length === 0) return null;
  const groups = combineAll(limited).map((group): Condition => ({
    kind: 'all',
    of: [{ kind: 'types', types: group.types }, group.where],
  }));
  return {
    kind: 'any',
    of: [...(open.length === 0 ? [] : [{ kind: 'types', types: open } as const]), ...groups],
  };
}

function conjoined(guard: Condition | null, where: Condition): Condition {
  return guard === null ? where : { kind: 'all', of: [guard, where] };
}

function conditionWithin(condition: Condition, limits: Limits): Condition {
  switch (condition.kind) {
    case 'all':
    case 'any':
      return { ...condition, of: condition.of.map((part) => conditionWithin(part, limits)) };
    case 'not':
      return { ...condition, of: conditionWithin(condition.of, limits) };
    case 'chain': {
      const targets = condition.targets.flatMap(({ type, where }) => {
        const guard = limits.get(type);
        return guard === undefined ? [] : [{ type, where: conjoined(guard, conditionWithin(where, limits)) }];
      });
      return targets.length === 0 ? NEVER : { ...condition, targets };
    }
    case 'has': {
      const node = nodeWithin(condition.type, limits);
      if (node === null) return NEVER;
      const where = conjoined(node.guard, conditionWithin(condition.where, limits));
      return { ...condition, type: node.type, where };
    }
    case 'contained':
      // What a visible resource contains is visible, whatever its type.
      return { ...condition, where: conditionWithin(condition.where, limits) };
    case 'ids':
    case 'types':
    case 'updated':
    case 'index':
    case 'element':
      return condition;
  }
}

/** Contained resources are answered as such out of types that have no limits: nothing is asked of their containers. */
function answeredWithin(
  contained: ContainedCondition,
  types: SearchPlan['type'],
  limits: Limits,
): ContainedCondition {
  const within = (contained.within ?? [types].flat()).filter((type) => limits.get(type) === null);
  return { ...contained, within, where: conditionWithin(contained.where, limits) };
}
