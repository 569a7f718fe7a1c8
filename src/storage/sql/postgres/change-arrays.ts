import type { PartitionId } from '../../../model/partition.js';
import { claimsOf, isLoose, type ReferencePolicy } from '../../store.js';
import type { ValueRow } from '../index-rows.js';
import { float8Array, int4Array, int8Array, textArray } from './binary-array.js';
import { toKeyText } from './key-text.js';
import { paramSetArrays, paramSetIds } from './param-set-arrays.js';
import type { PreparedChange } from './prepared-unit.js';
import type { PgStatement, PgValue } from './statement.js';
import { toVectorText } from './vector-text.js';
import { VALUE_KINDS, VALUE_TABLES, WRITE_SQL, type ValueKind } from './write-sql.js';

/** What a reference may mean, besides resources of its own partition. */
export interface TargetRules {
  readonly policy: ReferencePolicy;
  /** Partitions that are looked through in turn, where the policy says so. */
  readonly others: readonly PartitionId[];
  /** Row ids of resources in the same transaction, by `targetKey`. */
  readonly known: ReadonlyMap<string, number>;
  /** Ids of types that were ever written. */
  readonly typeId: (type: string) => number | undefined;
  readonly ownPartition: (change: PreparedChange, targetType: string) => PartitionId;
  /** Whether a statement that keeps what the partition holds comes after it. */
  readonly keepsUsage: (partition: PartitionId) => boolean;
}

/** A target that is looked for, by the ordinal under which a refusal names it. */
export interface SoughtTarget {
  readonly change: PreparedChange;
  readonly type: string;
  readonly id: string;
}

/** One claim of a change, by the ordinal under which a refusal names it. */
export interface ClaimedChange {
  readonly prepared: PreparedChange;
  readonly condition: string;
}

/** One statement of a write, and what its ordinals mean. */
export interface WriteStatement {
  readonly statement: PgStatement;
  readonly partition: PartitionId;
  readonly changes: readonly PreparedChange[];
  readonly claimed: readonly ClaimedChange[];
  readonly sought: readonly SoughtTarget[];
}

type Column = (string | number | null)[];

/** The statement that writes the changes: all are creates, or none is; all have one partition and date. */
export function toWriteStatement(changes: readonly PreparedChange[], rules: TargetRules): WriteStatement {
  const [first] = changes;
  if (first === undefined) throw new Error('A statement writes at least one change.');
  const { partition, date } = first;
  const creates = first.change.kind === 'create';
  const sought = new Sought(rules);
  const links = linkArrays(changes, sought);
  const claims = claimArrays(changes);
  const values: PgValue[] = [
    partition,
    date,
    ...(creates ? createArrays(changes) : replaceArrays(changes)),
    ...paramSetArrays(changes),
    ...(creates
      ? []
      : valueArrays(
          'keys',
          changes.map(({ rowId, deleted }) => ({ rowId, rows: deleted })),
        )),
    ...valueArrays(
      'rows',
      changes.map(({ rowId, inserted }) => ({ rowId, rows: inserted })),
    ),
    ...sought.arrays(),
    ...links,
    ...claims.arrays,
    rules.keepsUsage(partition) ? KNOWN : NOT_KNOWN,
  ];
  const name = creates ? 'create' : 'replace';
  const statement = { name, text: WRITE_SQL[name], values };
  return { statement, partition, changes, claimed: claims.claimed, sought: sought.targets };
}

/** Empty where the writer does not keep what the partition holds: whether anybody does is looked at. */
const KNOWN = int4Array([1]);
const NOT_KNOWN = int4Array([]);

function createArrays(changes: readonly PreparedChange[]): PgValue[] {
  const ids: number[] = [];
  const types: number[] = [];
  const fhirIds: string[] = [];
  const updated: number[] = [];
  const texts: string[] = [];
  for (const { change, rowId, typeId } of changes) {
    if (change.kind !== 'create') continue;
    ids.push(rowId);
    types.push(typeId);
    fhirIds.push(change.id);
    updated.push(change.updated);
    texts.push(change.text);
  }
  return [
    int8Array(ids),
    int4Array(types),
    textArray(fhirIds),
    int8Array(updated),
    textArray(texts),
    paramSetIds(changes),
  ];
}

function replaceArrays(changes: readonly PreparedChange[]): PgValue[] {
  const versions = changes.map(({ change }) => (change.kind === 'create' ? 0 : change.current.version));
  const deletedAt = changes.map(({ change }) => (change.kind === 'delete' ? change.updated : null));
  const texts = changes.map(({ change }) => (change.kind === 'delete' ? null : change.text));
  return [
    int8Array(changes.map(({ rowId }) => rowId)),
    int4Array(versions),
    int8Array(changes.map(({ change }) => change.updated)),
    int8Array(deletedAt),
    textArray(texts),
    paramSetIds(changes),
  ];
}

/** Index rows by the resource that has them. */
export interface OwnedRows {
  readonly rowId: number;
  readonly rows: readonly ValueRow[];
}

/** All columns of the rows, or what tells them apart: an array for each, in the order of VALUE_TABLES. */
export function valueArrays(what: 'rows' | 'keys', owned: readonly OwnedRows[]): PgValue[] {
  const columns = collect(owned);
  if (what === 'rows') columns.text[1] = columns.text[1]!.map((words) => toVectorText(String(words)));
  return VALUE_KINDS.flatMap((kind) => {
    const { columns: all, key } = VALUE_TABLES[kind];
    const types = ['integer', ...all.slice(0, what === 'keys' ? key : all.length).map(([, type]) => type)];
    const arrays = types.map((type, index) => toArray(type, columns[kind][index]!));
    return [...arrays, toArray('bigint', columns[kind].at(-1)!)];
  });
}

/** PARAM_ID, the values, RES_ID. */
function collect(owned: readonly OwnedRows[]): Readonly<Record<ValueKind, Column[]>> {
  const columns = Object.fromEntries(
    VALUE_KINDS.map((kind) => [
      kind,
      Array.from({ length: VALUE_TABLES[kind].columns.length + 2 }, () => []),
    ]),
  ) as unknown as Record<ValueKind, Column[]>;
  for (const { rowId, rows } of owned) {
    for (const row of rows) {
      const target = columns[row.table];
      row.columns.forEach((value, index) => target[index]!.push(value));
      target.at(-1)!.push(rowId);
    }
  }
  for (const kind of ['token', 'uri', 'composite'] as const) columns[kind][1] = columns[kind][1]!.map(keyed);
  return columns;
}

function keyed(value: string | number | null): string {
  return toKeyText(String(value));
}

function toArray(type: string, values: Column): Buffer {
  switch (type) {
    case 'integer':
      return int4Array(values as number[]);
    case 'bigint':
      return int8Array(values as number[]);
    case 'float8':
      return float8Array(values as (number | null)[]);
    default:
      return textArray(values as (string | null)[]);
  }
}

/** Targets that the database has to find: one ordinal for each, and a candidate for each place it may be in. */
class Sought {
  readonly targets: SoughtTarget[] = [];
  private readonly ordinals = new Map<string, number>();
  private readonly candidates: { n: number; partition: number; type: number; id: string; loose: number }[] =
    [];

  constructor(readonly rules: TargetRules) {}

  ordinal(change: PreparedChange, target: { readonly type: string; readonly id: string }): number {
    const own = this.rules.ownPartition(change, target.type);
    const loose = isLoose(change.change) ? 1 : 0;
    const key = `${loose} ${targetKey(own, target.type, target.id)}`;
    const known = this.ordinals.get(key);
    if (known !== undefined) return known;
    const n = this.targets.push({ change, ...target });
    this.ordinals.set(key, n);
    const type = this.rules.typeId(target.type) ?? NEVER_WRITTEN;
    const places = new Set(this.rules.policy === 'same' ? [own] : [own, ...this.rules.others]);
    for (const partition of places) this.candidates.push({ n, partition, type, id: target.id, loose });
    return n;
  }

  arrays(): PgValue[] {
    const { candidates } = this;
    return [
      int4Array(candidates.map(({ n }) => n)),
      int4Array(candidates.map(({ partition }) => partition)),
      int4Array(candidates.map(({ type }) => type)),
      textArray(candidates.map(({ id }) => id)),
      int4Array(candidates.map(({ loose }) => loose)),
    ];
  }
}

const NEVER_WRITTEN = -1;

export function targetKey(partition: PartitionId, type: string, id: string): string {
  return `${partition} ${type}/${id}`;
}

function linkArrays(changes: readonly PreparedChange[], sought: Sought): PgValue[] {
  const columns: [number[], number[], number[], number[], string[], number[]] = [[], [], [], [], [], []];
  const { rules } = sought;
  for (const change of changes) {
    for (const { paramId, target, url } of change.links) {
      const known =
        target && rules.known.get(targetKey(rules.ownPartition(change, target.type), target.type, target.id));
      columns[0].push(change.rowId);
      columns[1].push(paramId);
      columns[2].push(known ?? 0);
      columns[3].push(target ? (rules.typeId(target.type) ?? NEVER_WRITTEN) : 0);
      columns[4].push(target ? '' : toKeyText(url));
      columns[5].push(target && known === undefined ? sought.ordinal(change, target) : 0);
    }
  }
  const [rowIds, params, known, types, urls, ordinals] = columns;
  return [
    int8Array(rowIds),
    int4Array(params),
    int8Array(known),
    int4Array(types),
    textArray(urls),
    int4Array(ordinals),
  ];
}

function claimArrays(changes: readonly PreparedChange[]): {
  readonly arrays: PgValue[];
  readonly claimed: readonly ClaimedChange[];
} {
  const claimed = changes.flatMap((prepared) =>
    claimsOf(prepared.change).map((claim) => ({ prepared, ...claim, key: toKeyText(claim.condition) })),
  );
  const arrays = [
    int4Array(claimed.map(({ prepared }) => prepared.typeId)),
    textArray(claimed.map(({ key }) => key)),
    int8Array(claimed.map(({ prepared }) => prepared.rowId)),
    int8Array(claimed.flatMap(({ replaces }) => replaces ?? [])),
    textArray(claimed.map(({ prepared, key }) => `${prepared.typeId} ${key}`)),
  ];
  return { arrays, claimed };
}
