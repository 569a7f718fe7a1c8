import { DEFAULT_PARTITION_ID, type PartitionId } from '../model/partition.js';
import type { OutcomeIssue } from '../model/resource.js';
import type { LiveSearchParameters, ParameterWrite } from '../search-parameters/live-search-parameters.js';
import { ownPathKey } from '../search-parameters/own-path.js';
import { toRecord } from '../search-parameters/parameter-record.js';
import { upliftWarnings } from '../search-parameters/uplift-findings.js';
import type { Change } from '../storage/store.js';
import { atEntry } from './entry-error.js';
import type { PlannedWrite, WriteOutcome } from './planned-write.js';
import type { ServerParts } from './server-parts.js';

/** What SearchParameters are judged by, by the partition that they are written in. */
export type Judges = ReadonlyMap<PartitionId, LiveSearchParameters>;

/** Whether the write changes a search parameter. */
function isParameterWrite({ change, outcome }: PlannedWrite): boolean {
  return change !== undefined && outcome.type === 'SearchParameter';
}

/**
 * The same writes, those of SearchParameters judged and carrying the claim that they were judged by what is in force
 * when they are committed. It stands for the claim of a conditional create too: whoever was faster is found next time.
 * @throws FhirError see LiveSearchParameters.admit
 */
export async function admitParameterWrites(
  writes: readonly PlannedWrite[],
  judges: Judges,
): Promise<readonly PlannedWrite[]> {
  const claimOf = new Map<PlannedWrite, string | undefined>();
  for (const [partition, live] of judges) {
    const here = writes.filter((write) => parameterPartition(write) === partition);
    const entries = new Map(here.map((write) => [toParameterWrite(write), write]));
    const claims = await live.admit([...entries.keys()], (one, judge) => {
      const entry = entries.get(one)?.entry;
      return entry === undefined ? judge() : atEntry(entry, judge);
    });
    here.forEach((write, at) => claimOf.set(write, claims[at]));
  }
  return writes.map((write) => withClaim(write, claimOf.get(write)));
}

/** What SearchParameters are judged by in each partition that the writes change some of, as the database has it now. */
export async function findJudges(
  { parameters, partitionParameters }: ServerParts,
  writes: readonly PlannedWrite[],
): Promise<Judges> {
  const judges = new Map<PartitionId, LiveSearchParameters>();
  for (const partition of new Set(writes.flatMap((write) => parameterPartition(write) ?? []))) {
    if (partition !== DEFAULT_PARTITION_ID) {
      judges.set(partition, await partitionParameters.judges(partition));
      continue;
    }
    await parameters.refresh();
    judges.set(partition, parameters);
  }
  return judges;
}

/**
 * What was written by `write` holds from now on. Copies of uplifts that it takes back go in the background.
 */
export async function noticingParameterWrites(
  { parameters, partitionParameters, reindexing }: ServerParts,
  judges: Judges,
  write: () => Promise<void>,
): Promise<void> {
  const before = new Set(parameters.retiredCopies().map(ownPathKey));
  await write();
  for (const partition of judges.keys())
    await (partition === DEFAULT_PARTITION_ID ? parameters : partitionParameters).noticeWrite();
  await reindexing.dropCopies(parameters.retiredCopies().filter((path) => !before.has(ownPathKey(path))));
}

/** What was written, with what its uplifts do not lift. */
export function withWarnings({ parameters }: ServerParts, outcome: WriteOutcome): WriteOutcome {
  const { type, id, version, text } = outcome;
  if (type !== 'SearchParameter' || version === undefined || text === null) return outcome;
  const record = toRecord({ id, version, text });
  if (!record.uplifts) return outcome;
  const warnings = upliftWarnings(record, parameters.records()).map(({ place, message }): OutcomeIssue => {
    const expression = `SearchParameter.${place}`;
    return {
      severity: 'warning',
      code: 'incomplete',
      diagnostics: `${expression}: ${message}.`,
      expression: [expression],
    };
  });
  return warnings.length === 0 ? outcome : { ...outcome, warnings };
}

/** The partitions that the writes change something in. */
export function partitionsOf(writes: readonly PlannedWrite[]): ReadonlySet<PartitionId> {
  return new Set(writes.flatMap(({ change }) => (change ? partitionOfChange(change) : [])));
}

/** The partition that the change is made in. */
export function partitionOfChange(change: Change): PartitionId {
  return change.kind === 'create' ? change.assignment.partition : change.current.partition;
}

function parameterPartition(write: PlannedWrite): PartitionId | undefined {
  return write.change && isParameterWrite(write) ? partitionOfChange(write.change) : undefined;
}

function toParameterWrite({ outcome, resource }: PlannedWrite): ParameterWrite {
  return { id: outcome.id, version: outcome.version ?? 1, resource };
}

function withClaim(write: PlannedWrite, condition: string | undefined): PlannedWrite {
  const { change } = write;
  if (condition === undefined || change === undefined || change.kind === 'delete') return write;
  return { ...write, change: { ...change, claim: { condition } } };
}
