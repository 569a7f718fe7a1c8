import type { Statement } from 'better-sqlite3';
import type { LiteralReference } from '../../../fhir/references.js';
import { DEFAULT_PARTITION_ID, NON_PARTITIONABLE_TYPES, type PartitionId } from '../../../model/partition.js';
import { FhirError } from '../../../model/errors.js';
import {
  type Change,
  claimsOf,
  type CreateChange,
  type DeleteChange,
  isLoose,
  LOOSE_TYPE,
  type ReferencePolicy,
  type ResourceKey,
  type UpdateChange,
  WriteConflictError,
  type WriteUnit,
} from '../../store.js';
import type { PartitionCopies } from '../copies.js';
import { UNINDEXED_REFERENCE, type Dictionary } from '../dictionary.js';
import type { ValueTable } from '../index-rows.js';
import { CopyWriter } from './copy-writer.js';
import type { SqliteDatabase } from './open.js';
import { ParamSetWriter } from './param-set-writer.js';
import type { PreparedChange } from './prepared-change.js';
import { KEY_COLUMNS, prepareAll, VALUE_SQL, WRITE_SQL } from './statements.js';
import { UsageWriter } from './usage-writer.js';

/** What stays equal over the life of a store. */
export interface UnitWriterOptions {
  readonly references: ReferencePolicy;
  readonly resourceIds: 'partition' | 'server';
}

/** RES_ID and RES_DELETED_AT of a resource that a reference may mean. */
type TargetRow = readonly [rowId: number, deletedAt: number | null];

/** Of a partition in service: its horizon, and 1 where it is kept what it holds. */
type PartitionRow = readonly [horizon: number, kept: 1 | null];

const NONE_KEPT: ReadonlySet<PartitionId> = new Set();

const NOTHING_KEPT: ReadonlySet<number> = new Set();

/** Rows found or made while one unit is written, by `partition type/id`. */
type Targets = Map<string, number>;

/**
 * Writes units' rows through prepared statements. It neither begins nor commits: see write-queue.ts.
 * A unit is written in two passes, because its resources may refer to each other in any order.
 */
export class UnitWriter {
  private readonly sql: Readonly<Record<keyof typeof WRITE_SQL, Statement>>;
  private readonly inserts: Readonly<Record<ValueTable, Statement>>;
  private readonly deletes: Readonly<Record<ValueTable, Statement>>;
  private readonly dictionary: Dictionary;
  private readonly options: UnitWriterOptions;
  private readonly copies: CopyWriter;
  private readonly params: ParamSetWriter;
  private readonly usage: UsageWriter;

  constructor(db: SqliteDatabase, dictionary: Dictionary, options: UnitWriterOptions) {
    this.dictionary = dictionary;
    this.options = options;
    this.sql = prepareAll(db, WRITE_SQL);
    this.copies = new CopyWriter(db);
    this.params = new ParamSetWriter(db);
    this.usage = new UsageWriter(db);
    const kinds = Object.entries(VALUE_SQL);
    this.inserts = prepareAll(db, Object.fromEntries(kinds.map(([kind, { insert }]) => [kind, insert])));
    this.deletes = prepareAll(db, Object.fromEntries(kinds.map(([kind, sql]) => [kind, sql.delete])));
  }

  /**
   * A partition may have gone since the request's decision, here or in another process, or its past may have been
   * fixed; nothing may be written behind its purge, or before its horizon. Call inside the transaction.
   * @returns The partitions of which it is kept what they hold: `writeUsage` has to know
   * @throws FhirError UNKNOWN_PARTITION, WriteConflictError
   */
  assertWritable(unit: readonly PreparedChange[]): ReadonlySet<PartitionId> {
    const states = new Map<PartitionId, PartitionRow>();
    let kept = NONE_KEPT;
    for (const { partition, change } of unit) {
      let state = states.get(partition);
      if (state === undefined) {
        states.set(partition, (state = this.stateOf(partition)));
        if (state[1] !== null) kept = new Set([...kept, partition]);
      }
      const [horizon] = state;
      if (change.updated <= horizon) throw new WriteConflictError({ kind: 'late', change, horizon });
    }
    return kept;
  }

  private stateOf(partition: PartitionId): PartitionRow {
    const row = this.sql.horizon.get({ partition }) as PartitionRow | undefined;
    if (row === undefined) throw new FhirError('UNKNOWN_PARTITION', 'The partition was deleted.');
    return row;
  }

  /** After everything else of the unit. @throws WriteConflictError */
  writeUsage(unit: WriteUnit, kept: ReadonlySet<PartitionId>): void {
    this.usage.write(unit, kept);
  }

  /** First pass: the resource's own row; returns its row id. */
  writeVersion(prepared: PreparedChange, targets: Targets): number {
    const { change } = prepared;
    const rowId = change.kind === 'create' ? this.insert(prepared, change) : this.replace(prepared, change);
    if (change.kind !== 'delete') targets.set(targetKey(prepared.partition, change.type, change.id), rowId);
    return rowId;
  }

  /** Second pass: everything that hangs on the row. */
  writeIndex(prepared: PreparedChange, rowId: number, targets: Targets): void {
    const { change, partition, date } = prepared;
    for (const row of prepared.deleted) {
      this.deletes[row.table].run(partition, ...row.columns.slice(0, KEY_COLUMNS[row.table]), rowId);
    }
    for (const row of prepared.inserted) this.inserts[row.table].run(partition, date, ...row.columns, rowId);
    if (change.kind === 'create') this.insertLinks(prepared, rowId, targets);
    else if (change.kind === 'update') this.updateLinks(prepared, rowId, targets);
    else this.clear(prepared, change, rowId);
  }

  /** After all index rows and links of the unit. */
  writeCopies(copies: PartitionCopies): void {
    this.copies.write(copies);
  }

  /** Third pass, after all of the unit: nothing that is deleted may still be referred to. */
  assertUnreferenced(prepared: PreparedChange, rowId: number): void {
    const { change } = prepared;
    if (change.kind !== 'delete' || change.referrers === 'ignore') return;
    const rows = this.sql.referrers.all({
      partition: prepared.partition,
      params: JSON.stringify(this.holdingPaths()),
      rowId,
    }) as [PartitionId, number, string, number][];
    if (rows.length === 0) return;
    const referrers: ResourceKey[] = rows.map(([partition, typeId, id]) => {
      return { partition, type: this.dictionary.typeName(typeId), id };
    });
    throw new WriteConflictError({ kind: 'referenced', change, referrers });
  }

  /** Those whose links keep what they lead to from being deleted. */
  private holdingPaths(): readonly number[] {
    const loose = new Set(this.dictionary.pathIds('reference', LOOSE_TYPE));
    const paths = this.dictionary.pathIds('reference').filter((path) => !loose.has(path));
    return [UNINDEXED_REFERENCE, ...paths];
  }

  private insert(prepared: PreparedChange, change: CreateChange): number {
    const { partition, date, typeId } = prepared;
    if (this.options.resourceIds === 'server') {
      const claimed = this.sql.claimId.run(typeId, change.id, partition, date).changes === 1;
      const own = claimed || this.sql.idClaimant.get({ partition, typeId, id: change.id }) !== undefined;
      if (!own) throw new WriteConflictError({ kind: 'id-taken', change });
    }
    const { rowId } = prepared;
    const params = this.params.idOf(partition, typeId, prepared.params);
    const values = [rowId, partition, date, typeId, change.id, change.updated, change.text, params];
    if (this.sql.insertResource.run(...values).changes === 0) {
      throw new WriteConflictError({ kind: 'version', change });
    }
    this.takeClaims(prepared, change, rowId);
    return rowId;
  }

  private replace(prepared: PreparedChange, change: UpdateChange | DeleteChange): number {
    const { rowId, version } = change.current;
    const key = { partition: prepared.partition, rowId, version };
    this.sql.archiveVersion.run(key);
    const deleted = change.kind === 'delete';
    const result = this.sql.replaceVersion.run({
      ...key,
      updated: change.updated,
      deletedAt: deleted ? change.updated : null,
      text: deleted ? null : change.text,
      params: this.params.idOf(key.partition, prepared.typeId, prepared.params),
    });
    if (result.changes === 0) throw new WriteConflictError({ kind: 'version', change });
    this.takeClaims(prepared, change, rowId);
    return rowId;
  }

  private takeClaims({ partition, date, typeId }: PreparedChange, change: Change, rowId: number): void {
    for (const { condition, replaces } of claimsOf(change)) {
      const holder = this.sql.findClaim.get(partition, typeId, condition) as [number] | undefined;
      if (holder && holder[0] !== replaces && holder[0] !== rowId) {
        throw new WriteConflictError({ kind: 'claim', change, condition, holder: holder[0] });
      }
      this.sql.setClaim.run(partition, date, typeId, condition, rowId);
    }
  }

  private insertLinks(prepared: PreparedChange, rowId: number, targets: Targets): void {
    for (const [paramId, targetId, typeId, url] of this.resolveLinks(prepared, targets)) {
      this.sql.insertLink.run(prepared.partition, prepared.date, paramId, targetId, typeId, url, rowId);
    }
  }

  private updateLinks(prepared: PreparedChange, rowId: number, targets: Targets): void {
    const { partition, date } = prepared;
    const existing = this.sql.linksOf.all(partition, rowId) as [number, number, string][];
    const old = new Map(existing.map((link) => [link.join(' '), link]));
    const kept = new Set(existing.map(([, targetId]) => targetId));
    for (const [paramId, targetId, typeId, url] of this.resolveLinks(prepared, targets, kept)) {
      if (old.delete([paramId, targetId, url].join(' '))) continue;
      this.sql.insertLink.run(partition, date, paramId, targetId, typeId, url, rowId);
    }
    for (const [paramId, targetId, url] of old.values()) {
      this.sql.deleteLink.run(partition, paramId, targetId, url, rowId);
    }
  }

  private resolveLinks(
    prepared: PreparedChange,
    targets: Targets,
    kept: ReadonlySet<number> = NOTHING_KEPT,
  ): [number, number, number, string][] {
    return prepared.links.map(({ paramId, target, url }) => {
      if (target === null) return [paramId, 0, 0, url];
      return [
        paramId,
        this.resolveTarget(prepared, target, { targets, kept }),
        this.dictionary.typeId(target.type) ?? 0,
        '',
      ];
    });
  }

  /**
   * The row id of a reference's target, or a `reference` conflict: never a word of other partitions. What the
   * resource refers to already (`kept`) may have been deleted from another partition meanwhile; that must not keep
   * the resource from being changed.
   */
  private resolveTarget(
    prepared: PreparedChange,
    target: { type: string; id: string },
    { targets, kept }: { readonly targets: Targets; readonly kept: ReadonlySet<number> },
  ): number {
    const own = NON_PARTITIONABLE_TYPES.has(target.type) ? DEFAULT_PARTITION_ID : prepared.partition;
    const key = targetKey(own, target.type, target.id);
    const known = targets.get(key);
    if (known !== undefined) return known;
    const rows = this.findTargets(own, target.type, target.id);
    const live = rows.find(([, deletedAt]) => deletedAt === null);
    const loose = isLoose(prepared.change);
    const found = live ?? (loose ? rows[0] : rows.find(([rowId]) => kept.has(rowId)));
    if (found === undefined) throw missingTarget(prepared, target);
    // What has gone is no target for others of the unit.
    if (live !== undefined || !loose) targets.set(key, found[0]);
    return found[0];
  }

  /** What the reference may mean, the nearest first, deletions included. */
  private findTargets(partition: PartitionId, type: string, id: string): readonly TargetRow[] {
    const typeId = this.dictionary.typeId(type);
    if (typeId === undefined) return [];
    const { references } = this.options;
    const own = this.sql.findTarget.all(partition, typeId, id) as TargetRow[];
    if (references === 'same' || own.some(([, deletedAt]) => deletedAt === null)) return own;
    const others =
      references === 'any'
        ? this.sql.findTargetAnywhere.all(typeId, id)
        : this.sql.findTarget.all(DEFAULT_PARTITION_ID, typeId, id);
    return [...own, ...(others as TargetRow[])];
  }

  private clear(prepared: PreparedChange, change: DeleteChange, rowId: number): void {
    this.sql.deleteLinks.run(prepared.partition, rowId);
    this.sql.releaseClaims.run(change.current.partition, rowId);
  }
}

function targetKey(partition: PartitionId, type: string, id: string): string {
  return `${partition} ${type}/${id}`;
}

function missingTarget(prepared: PreparedChange, target: { type: string; id: string }): WriteConflictError {
  const { change } = prepared;
  const references: readonly LiteralReference[] = change.kind === 'delete' ? [] : change.references;
  const reference = references.find(({ type, id }) => type === target.type && id === target.id);
  return new WriteConflictError({
    kind: 'reference',
    change,
    reference: reference ?? { ...target, expression: prepared.change.kind },
  });
}
