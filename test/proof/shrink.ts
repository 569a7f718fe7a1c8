import { describeStep } from './step.js';
import type { Programs, Topology } from './topology.js';
import type { Failure } from './trial.js';

/** A step's place: which tenant, which round. */
interface Place {
  readonly tenant: number;
  readonly round: number;
}

/** What is left of a program that fails, and how it fails. */
export interface Shrunk {
  readonly programs: Programs;
  readonly failure: Failure;
  readonly attempts: number;
}

/** Runs programs on new servers. */
export type Attempt = (programs: Programs) => Promise<Failure | undefined>;

/**
 * Leaves out steps as long as the rest still fails in the same way: halves, quarters and so on, to single ones
 * (https://www.debuggingbook.org/html/DeltaDebugger.html). What is left keeps its round.
 */
export async function shrink(
  { programs }: Topology,
  failure: Failure,
  { attempt, most }: { readonly attempt: Attempt; readonly most: number },
): Promise<Shrunk> {
  let places = placesOf(programs).filter(({ round }) => round <= failure.round);
  let found: Shrunk = { programs, failure, attempts: 0 };
  let attempts = 0;
  for (let parts = 2; attempts < most && places.length > 1;) {
    const smaller = await smallerOf(places, parts);
    if (smaller) {
      places = smaller;
      parts = Math.max(2, parts - 1);
    } else if (parts >= places.length) break;
    else parts = Math.min(places.length, parts * 2);
  }
  return { ...found, attempts };

  async function smallerOf(all: readonly Place[], parts: number): Promise<Place[] | undefined> {
    const size = Math.ceil(all.length / parts);
    for (let from = 0; from < all.length && attempts < most; from += size) {
      const rest = [...all.slice(0, from), ...all.slice(from + size)];
      attempts++;
      const kept = restricted(programs, rest);
      const failed = await attempt(kept);
      if (failed?.kind !== failure.kind) continue;
      found = { programs: kept, failure: failed, attempts };
      return rest.filter(({ round }) => round <= failed.round);
    }
    return undefined;
  }
}

function placesOf(programs: Programs): Place[] {
  const all = programs.flatMap((program, tenant) =>
    program.flatMap((step, round) => (step === undefined ? [] : [{ tenant, round }])),
  );
  return all.toSorted((one, other) => one.round - other.round || one.tenant - other.tenant);
}

function restricted(programs: Programs, places: readonly Place[]): Programs {
  const kept = new Set(places.map(({ tenant, round }) => `${tenant}/${round}`));
  const last = Math.max(...places.map(({ round }) => round));
  return programs.map((program, tenant) =>
    program.slice(0, last + 1).map((step, round) => (kept.has(`${tenant}/${round}`) ? step : undefined)),
  );
}

/** The steps that are left, in order, for people. */
export function listSteps({ tenants, auth }: Topology, programs: Programs): readonly string[] {
  const shown = tenants.map(({ id, name, placement, canary }, number) => {
    const short = name.length > 40 ? `${name.slice(0, 40)}… (${name.length} characters)` : name;
    return `tenant ${number}: '${short}', id ${id}, ${placement}, canary ${canary}`;
  });
  const steps = placesOf(programs).map(({ tenant, round }) => {
    const step = programs[tenant]?.[round];
    const who = tenant === tenants.length ? 'the operator' : `tenant ${tenant}`;
    return `round ${round}, ${who}: ${step === undefined ? '' : describeStep(step)}`;
  });
  return [...shown, `authentication ${auth}`, ...steps];
}
