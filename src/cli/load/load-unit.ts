import type { Bundle } from '../../model/resource.js';
import { type LoadEntry, targetOf } from './load-entry.js';
import { isStored, readStoredState } from './stored-state.js';
import { toLargeBinary } from './large-binary.js';
import { type AnsweredEntry, type LoadTarget, reasonOf, statusOf, type TargetAnswer } from './target.js';
import { type Failure, type LoadUnit, withReferences } from './unit.js';

/** What became of the resources of a unit. */
export interface UnitReport {
  readonly created: number;
  readonly updated: number;
  /** Stored already, just so. */
  readonly unchanged: number;
  /** Deletions that were done, of what was there or not. */
  readonly deleted: number;
  readonly failures: readonly Failure[];
}

/** Sends what the target does not hold already. */
export async function loadUnit(target: LoadTarget, unit: LoadUnit): Promise<UnitReport> {
  const stored = await readStoredState(target, unit.entries);
  const resolved = unit.entries.map((entry) => withReferences(entry, stored.names));
  const changed = resolved.filter((entry) => {
    const known = stored.resources.get(targetOf(entry) ?? '');
    return entry.resource === undefined || !isStored(entry.resource, known);
  });
  const unchanged = resolved.length - changed.length;
  const none: UnitReport = { ...NOTHING, unchanged, failures: unit.broken };
  const reports =
    unit.type === 'batch' ? await sendEach(target, changed) : await sendWhole(target, unit, changed);
  return addReports(none, reports);
}

/** Large Binaries are sent one by one. */
async function sendEach(target: LoadTarget, entries: readonly LoadEntry[]): Promise<readonly UnitReport[]> {
  const reports: UnitReport[] = [];
  const others: LoadEntry[] = [];
  for (const entry of entries) {
    const binary = toLargeBinary(entry);
    if (binary === undefined) others.push(entry);
    else reports.push(...toReports([entry], await target.sendBinary(binary)));
  }
  if (others.length === 0) return reports;
  return [...reports, ...toReports(others, await target.send(toBundle('batch', others)))];
}

/** Of a batch that was refused, each entry can be tried again. */
function toReports(entries: readonly LoadEntry[], answer: TargetAnswer): readonly UnitReport[] {
  if (answer.ok) return answer.entries.map((entry, index) => entryReport(entries[index], entry));
  const { reason } = answer;
  const failures = entries.map((entry) => ({
    position: entry.position,
    what: targetOf(entry),
    resources: 1,
    reason,
  }));
  return [{ ...NOTHING, failures }];
}

/** A transaction fails as one. */
async function sendWhole(
  target: LoadTarget,
  { position }: LoadUnit,
  entries: readonly LoadEntry[],
): Promise<readonly UnitReport[]> {
  if (entries.length === 0) return [];
  const answer = await target.send(toBundle('transaction', entries));
  if (answer.ok) return toReports(entries, answer);
  const { reason } = answer;
  return [{ ...NOTHING, failures: [{ position, what: undefined, resources: entries.length, reason }] }];
}

const NOTHING: UnitReport = { created: 0, updated: 0, unchanged: 0, deleted: 0, failures: [] };

function toBundle(type: LoadUnit['type'], entries: readonly LoadEntry[]): Bundle {
  return { resourceType: 'Bundle', type, entry: entries.map(({ position: _position, ...entry }) => entry) };
}

function entryReport(sent: LoadEntry | undefined, answered: AnsweredEntry): UnitReport {
  const status = statusOf(answered);
  if (status === 201) return { ...NOTHING, created: 1 };
  if (status < 400) return { ...NOTHING, ...doneBy(sent?.request.method) };
  const reason =
    reasonOf(answered.response?.outcome) ?? `the server answered ${answered.response?.status ?? 'nothing'}`;
  const what = sent && (targetOf(sent) ?? sent.request.url);
  return { ...NOTHING, failures: [{ position: sent?.position, what, resources: 1, reason }] };
}

/** A create that was answered without a new resource was a conditional one. */
function doneBy(method: string | undefined): Partial<UnitReport> {
  if (method === 'POST') return { unchanged: 1 };
  return method === 'DELETE' ? { deleted: 1 } : { updated: 1 };
}

function addReports(first: UnitReport, others: readonly UnitReport[]): UnitReport {
  const all = [first, ...others];
  const sum = (count: (report: UnitReport) => number): number =>
    all.reduce((total, one) => total + count(one), 0);
  return {
    created: sum(({ created }) => created),
    updated: sum(({ updated }) => updated),
    unchanged: sum(({ unchanged }) => unchanged),
    deleted: sum(({ deleted }) => deleted),
    failures: all.flatMap(({ failures }) => failures),
  };
}
