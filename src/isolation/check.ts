import type { Answer } from './connection.js';
import { differenceOf, visible } from './heard.js';
import type { TenantAsked, TestedTenant } from './tested-tenant.js';

/** What came of an attack. */
export type IsolationVerdict = 'held' | 'leak' | 'not-applicable';

/** The verdict, and what it is founded on. */
export interface Finding {
  readonly verdict: IsolationVerdict;
  readonly seen: string;
}

/** One tenant that tries to learn of another, and what they have. */
export interface Trial {
  readonly attacker: TestedTenant;
  readonly owner: TestedTenant;
  /** The id that only the owner has. */
  readonly foreignId: string;
  /** One like it that nobody has. */
  readonly unusedId: string;
  /** The id that both have. */
  readonly commonId: string;
  /** An id that nobody has had, each time another. */
  readonly newId: () => string;
  /** Whether tokens say who is who: then a tenant's name alone is nobody's. */
  readonly hasTokens: boolean;
  readonly signal: AbortSignal;
}

/** One attack, as it is told and as it is carried out. */
export interface Check {
  readonly attack: string;
  /** Of `docs/attacks.md`. */
  readonly number: number;
  readonly asked: string;
  readonly expected: string;
  readonly run: (trial: Trial) => Promise<Finding>;
}

/** How ids and names are told in the list. */
export const THEIR_ID = '<theirs>';
export const COMMON_ID = '<both>';
export const AS_UNUSED = 'as for an id that nobody has';

export function held(seen: string): Finding {
  return { verdict: 'held', seen };
}

export function leak(seen: string): Finding {
  return { verdict: 'leak', seen };
}

export function notApplicable(seen: string): Finding {
  return { verdict: 'not-applicable', seen };
}

/** A leak where the answer shows what the owner has. */
export function leakIn(answer: Answer, { owner }: Trial): Finding | undefined {
  return owner.isToldIn(answer) ? leak(`${answer.status} with content of ${owner.name}`) : undefined;
}

/**
 * Asks for the owner's id, and for one that nobody has: nothing of the owner may be told, and nobody may see
 * from the answers which of both ids is in use. Where not even two answers about one id are equal, their status counts.
 */
export async function compareIds(trial: Trial, ask: (id: string) => TenantAsked): Promise<Finding> {
  const { attacker, foreignId, unusedId } = trial;
  const foreign = await attacker.ask(ask(foreignId));
  const told = leakIn(foreign, trial);
  if (told) return told;
  const unused = await attacker.ask(ask(unusedId));
  const expected = visible(unused, unusedId);
  const difference = differenceOf(visible(foreign, foreignId), expected);
  if (difference === undefined) return held(`${foreign.status}, ${AS_UNUSED}`);
  if (foreign.status === unused.status && (await isUnsteady(trial, ask, expected))) {
    return held(`${foreign.status}, ${AS_UNUSED}; the rest differs each time`);
  }
  return leak(difference);
}

async function isUnsteady(
  { attacker, unusedId }: Trial,
  ask: (id: string) => TenantAsked,
  before: ReturnType<typeof visible>,
): Promise<boolean> {
  return differenceOf(visible(await attacker.ask(ask(unusedId)), unusedId), before) !== undefined;
}

/** The finding, unless the owner's resource was changed meanwhile; it is stored anew then. */
export async function unlessChanged(
  trial: Trial,
  id: string,
  attempt: () => Promise<Finding>,
): Promise<Finding> {
  const { owner } = trial;
  const before = await owner.witness(id);
  const finding = await attempt();
  if ((await owner.witness(id)) === before) return finding;
  await owner.restore();
  return leak(`what ${owner.name} has is changed`);
}
