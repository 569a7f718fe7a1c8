import type { Bundle } from '../../model/resource.js';
import { type LoadEntry, targetOf } from './load-entry.js';
import { isStored, readStoredState } from './stored-state.js';
import { type AnsweredEntry, type LoadTarget, reasonOf, statusOf } from './target.js';
import { type Failure, type LoadUnit, withReferences } from './unit.js';

/** What became of the resources of a unit. */
export interface UnitReport {
  readonly created: number;
  readonly updated: number;
  /** Stored already, just so. */
  readonly unchanged: number;
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
  const none: UnitReport = { created: 0, updated: 0, unchanged, failures: unit.broken };
  if (changed.length === 0) return none;
  const answer = await target.send(toBundle(unit.type, changed));
  if (!answer.ok)
    return { ...none, failures: [...unit.broken, ...wholeFailure(unit, changed, answer.reason)] };
  return addReports(
    none,
    answer.entries.map((entry, index) => entryReport(changed[index], entry)),
  );
}

function toBundle(type: LoadUnit['type'], entries: readonly LoadEntry[]): Bundle {
  return { resourceType: 'Bundle', type, entry: entries.map(({ position: _position, ...entry }) => entry) };
}

/** A transaction fails as one; of a batch that was refused, each entry can be tried again. */
function wholeFailure({ type }: LoadUnit, entries: readonly LoadEntry[], reason: string): readonly Failure[] {
  if (type === 'transaction')
    return [{ position: undefined, what: undefined, resources: entries.length, reason }];
  return entries.map((entry) => ({ position: entry.position, what: targetOf(entry), resources: 1, reason }));
}

function entryReport(sent: LoadEntry | undefined, answered: AnsweredEntry): UnitReport {
  const none: UnitReport = { created: 0, updated: 0, unchanged: 0, failures: [] };
  const status = statusOf(answered);
  if (status === 201) return { ...none, created: 1 };
  if (status < 400)
    return sent?.request.method === 'POST' ? { ...none, unchanged: 1 } : { ...none, updated: 1 };
  const reason =
    reasonOf(answered.response?.outcome) ?? `the server answered ${answered.response?.status ?? 'nothing'}`;
  const what = sent && (targetOf(sent) ?? sent.request.url);
  return { ...none, failures: [{ position: sent?.position, what, resources: 1, reason }] };
}

function addReports(first: UnitReport, others: readonly UnitReport[]): UnitReport {
  const all = [first, ...others];
  const sum = (count: (report: UnitReport) => number): number =>
    all.reduce((total, one) => total + count(one), 0);
  return {
    created: sum(({ created }) => created),
    updated: sum(({ updated }) => updated),
    unchanged: sum(({ unchanged }) => unchanged),
    failures: all.flatMap(({ failures }) => failures),
  };
}
