import type { ParameterWrite } from '../search-parameters/live-search-parameters.js';
import { atEntry } from './entry-error.js';
import type { PlannedWrite } from './planned-write.js';
import type { ServerParts } from './server-parts.js';

/** Whether the write changes a search parameter. */
export function isParameterWrite({ change, outcome }: PlannedWrite): boolean {
  return change !== undefined && outcome.type === 'SearchParameter';
}

/**
 * The same writes, those of SearchParameters judged and carrying the claim that they were judged by what is in force
 * when they are committed. It stands for the claim of a conditional create too: whoever was faster is found next time.
 * @throws FhirError see LiveSearchParameters.admit
 */
export async function admitParameterWrites(
  { parameters }: ServerParts,
  writes: readonly PlannedWrite[],
): Promise<readonly PlannedWrite[]> {
  const entries = new Map(writes.filter(isParameterWrite).map((write) => [toParameterWrite(write), write]));
  const judged = [...entries.keys()];
  const claims = await parameters.admit(judged, (one, judge) => {
    const entry = entries.get(one)?.entry;
    return entry === undefined ? judge() : atEntry(entry, judge);
  });
  const claimOf = new Map([...entries.values()].map((write, at) => [write, claims[at]]));
  return writes.map((write) => withClaim(write, claimOf.get(write)));
}

function toParameterWrite({ outcome, resource }: PlannedWrite): ParameterWrite {
  return { id: outcome.id, version: outcome.version ?? 1, resource };
}

function withClaim(write: PlannedWrite, condition: string | undefined): PlannedWrite {
  const { change } = write;
  if (condition === undefined || change === undefined || change.kind === 'delete') return write;
  return { ...write, change: { ...change, claim: { condition } } };
}
