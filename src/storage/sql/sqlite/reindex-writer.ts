import type { Statement } from 'better-sqlite3';
import { FhirError } from '../../../model/errors.js';
import { DEFAULT_PARTITION_ID, type PartitionId } from '../../../model/partition.js';
import type { AddedRows, Reindexed } from '../../placement/home.js';
import { TimeSlice } from '../../time-slice.js';
import { type Dictionary, UNINDEXED_REFERENCE } from '../dictionary.js';
import {
  type LinkRow,
  outdatedValueRows,
  toLinkRows,
  toValueRows,
  type ValueRow,
  type ValueTable,
} from '../index-rows.js';
import { toParamSet } from '../param-sets.js';
import { RowNames } from '../row-names.js';
import type { Allocator } from './allocator.js';
import type { SqliteDatabase } from './open.js';
import { ParamSetWriter } from './param-set-writer.js';
import { KEY_COLUMNS, prepareAll, VALUE_SQL, WRITE_SQL } from './statements.js';

/** The SQL of a reindex, besides that of index rows; the guard test reads it. */
export const REINDEX_SQL = {
  isInService: WRITE_SQL.isInService,
  isCurrent: `select 1 from HFJ_RESOURCE where +PARTITION_ID = ? and RES_ID = ? and RES_VER = ?`,
  /** All that a resource refers to, whatever the path; targets are in the file, of whatever partition. */
  links: `select l.PARAM_ID, l.TARGET_RES_ID, l.TARGET_URL, t.RES_TYPE_ID, t.FHIR_ID
    from HFJ_RES_LINK l left join HFJ_RESOURCE t on t.RES_ID = l.TARGET_RES_ID
      and +t.PARTITION_ID in (select PART_ID from HFJ_PARTITION union select 0)
    where +l.PARTITION_ID = ? and l.RES_ID = ?`,
  linkTypes: `select distinct PARAM_ID, TARGET_TYPE_ID from HFJ_RES_LINK where +PARTITION_ID = ? and RES_ID = ?`,
  insertLink: WRITE_SQL.insertLink,
  deleteLink: WRITE_SQL.deleteLink,
} as const;

/** Longest time in milliseconds that requests wait for a turn. */
const SLICE_MS = 2;

/** A link that is there; type and id are null where its target has gone, or is none of this server. */
type PresentLink = readonly [
  paramId: number,
  targetId: number,
  url: string,
  typeId: number | null,
  id: string | null,
];

/** A resource with all rows that it should have. */
interface Prepared {
  readonly resource: Reindexed;
  readonly typeId: number;
  readonly values: readonly ValueRow[];
  readonly links: readonly LinkRow[];
  /** Rows that it must not have. */
  readonly outdated: readonly ValueRow[];
  /** PARAM_IDs under which it may have links that it must not have. */
  readonly doubtful: ReadonlySet<number>;
}

/** What a reindex writes with. */
export interface ReindexWriterParts {
  /** Runs `work` alone on the writer's connection; on disk when the progress of the job is, at the latest. */
  readonly transact: <Result>(work: (db: SqliteDatabase) => Promise<Result>) => Promise<Result>;
  readonly dictionary: Dictionary;
  readonly allocator: Pick<Allocator, 'addNames'>;
}

/** Adds index rows that are missing; the resources stay as they are. */
export class ReindexWriter {
  private statements: Statements | undefined;

  constructor(private readonly parts: ReindexWriterParts) {}

  /** One transaction, which gives the event loop its turns. @throws FhirError UNKNOWN_PARTITION */
  async write(partition: PartitionId, resources: readonly Reindexed[]): Promise<AddedRows> {
    const { dictionary, allocator, transact } = this.parts;
    const names = new RowNames(dictionary, (added) => allocator.addNames(added));
    let prepared = resources.map((resource) => prepare(names, resource));
    if (!names.isComplete) {
      await names.settle();
      prepared = resources.map((resource) => prepare(names, resource));
    }
    return transact((db) => {
      this.statements ??= prepareStatements(db);
      return this.addAll(new RowAdder(this.statements, partition, dictionary), prepared);
    });
  }

  private async addAll(adder: RowAdder, prepared: readonly Prepared[]): Promise<AddedRows> {
    adder.assertInService();
    const slice = new TimeSlice(SLICE_MS);
    const stale: number[] = [];
    let added = 0;
    for (const one of prepared) {
      if (adder.isCurrent(one.resource)) added += adder.add(one);
      else stale.push(one.resource.rowId);
      if (slice.isOver()) await slice.yield();
    }
    return { added, stale };
  }
}

function prepare(names: RowNames, resource: Reindexed): Prepared {
  const { type, index, references, outdated } = resource;
  const values = toValueRows(names, type, index);
  const links = outdated.flatMap((before) => toLinkRows(names, type, before, []));
  return {
    resource,
    typeId: names.ensureType(type),
    values,
    links: toLinkRows(names, type, index, references),
    outdated: outdatedValueRows(names, type, { outdated, current: values }),
    doubtful: new Set([UNINDEXED_REFERENCE, ...links.map(({ paramId }) => paramId)]),
  };
}

/** Prepared once for each home. */
interface Statements {
  readonly sql: Readonly<Record<keyof typeof REINDEX_SQL, Statement>>;
  readonly inserts: Readonly<Record<ValueTable, Statement>>;
  readonly deletes: Readonly<Record<ValueTable, Statement>>;
  readonly sets: ParamSetWriter;
}

function prepareStatements(db: SqliteDatabase): Statements {
  const tables = Object.entries(VALUE_SQL);
  return {
    sql: prepareAll(db, REINDEX_SQL),
    inserts: prepareAll(db, Object.fromEntries(tables.map(([table, { insert }]) => [table, insert]))),
    deletes: prepareAll(db, Object.fromEntries(tables.map(([table, sql]) => [table, sql.delete]))),
    sets: new ParamSetWriter(db),
  };
}

/** Adds rows of one partition inside a transaction. */
class RowAdder {
  private readonly sql: Statements['sql'];

  constructor(
    private readonly statements: Statements,
    private readonly partition: PartitionId,
    private readonly dictionary: Dictionary,
  ) {
    this.sql = statements.sql;
  }

  assertInService(): void {
    if (this.partition === DEFAULT_PARTITION_ID) return;
    if (this.sql.isInService.get(this.partition) !== undefined) return;
    throw new FhirError('UNKNOWN_PARTITION', 'The partition was deleted.');
  }

  isCurrent({ rowId, version }: Reindexed): boolean {
    return this.sql.isCurrent.get(this.partition, rowId, version) !== undefined;
  }

  /** Answers how many rows were missing. */
  add(prepared: Prepared): number {
    const { resource, values, outdated } = prepared;
    for (const { table, columns } of outdated) {
      const key = columns.slice(0, KEY_COLUMNS[table]);
      this.statements.deletes[table].run(this.partition, ...key, resource.rowId);
    }
    let added = 0;
    for (const { table, columns } of values) {
      added += this.statements.inserts[table].run(
        this.partition,
        resource.date,
        ...columns,
        resource.rowId,
      ).changes;
    }
    added += this.addLinks(prepared);
    this.setParams(prepared);
    return added;
  }

  /** Which paths it has rows on, now that none is missing. */
  private setParams({ resource: { rowId, version }, typeId, values }: Prepared): void {
    const { partition } = this;
    const links = this.sql.linkTypes.all(partition, rowId) as (readonly [number, number])[];
    const types = links.map(([paramId, target]) => ({ paramId, typeId: target }));
    this.statements.sets.set({ partition, typeId, rowId, version }, toParamSet(values, types));
  }

  /**
   * Whatever a resource refers to is among its links already, under a path or none; a target that has gone since can
   * have no further ones.
   */
  private addLinks({ resource: { rowId, date }, links, doubtful }: Prepared): number {
    if (links.length === 0 && doubtful.size === 1) return 0;
    const present = this.sql.links.all(this.partition, rowId) as PresentLink[];
    const targets = new Map(present.map(([, targetId, , typeId, id]) => [`${typeId}/${id}`, targetId]));
    const linked = new Set(present.map(([paramId, targetId, url]) => `${paramId} ${targetId} ${url}`));
    const wanted = new Set<string>();
    let added = 0;
    for (const { paramId, target, url } of links) {
      const typeId = target ? (this.dictionary.typeId(target.type) ?? 0) : 0;
      const targetId = target ? targets.get(`${typeId}/${target.id}`) : 0;
      if (targetId === undefined) continue;
      const key = `${paramId} ${targetId} ${url}`;
      wanted.add(key);
      if (linked.has(key)) continue;
      added += this.sql.insertLink.run(this.partition, date, paramId, targetId, typeId, url, rowId).changes;
    }
    for (const [paramId, targetId, url, typeId] of present) {
      const isKnown = doubtful.has(paramId) && (url !== '' || typeId !== null);
      if (!isKnown || wanted.has(`${paramId} ${targetId} ${url}`)) continue;
      this.sql.deleteLink.run(this.partition, paramId, targetId, url, rowId);
    }
    return added;
  }
}
