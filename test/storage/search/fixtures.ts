import Database from 'better-sqlite3';
import { statements } from '../../../migrations/0001-resources.js';
import type { PartitionId, PartitionScope } from '../../../src/model/partition.js';
import type { IndexKind } from '../../../src/storage/search-store.js';
import type { Dictionary } from '../../../src/storage/sql/dictionary.js';
import { SqlSearchStore } from '../../../src/storage/sql/search-store.js';
import type { SqlReader, SqlStatement } from '../../../src/storage/sql/sql-reader.js';

/** One row of an index, by the columns of its table. */
export type IndexRow = readonly [kind: IndexKind, path: string, columns: Readonly<Record<string, unknown>>];

const TABLES: Readonly<Record<IndexKind, string>> = {
  token: 'HFJ_SPIDX_TOKEN',
  string: 'HFJ_SPIDX_STRING',
  date: 'HFJ_SPIDX_DATE',
  number: 'HFJ_SPIDX_NUMBER',
  quantity: 'HFJ_SPIDX_QUANTITY',
  uri: 'HFJ_SPIDX_URI',
  reference: 'HFJ_RES_LINK',
};

/** A scope as the resolver makes it. */
export function scopeOf(...ids: number[]): PartitionScope {
  return { partitions: ids as PartitionId[], all: false } as unknown as PartitionScope;
}

/** A database in memory that tests fill row by row, and a store over it that remembers its statements. */
export class SearchDatabase implements Dictionary, SqlReader {
  readonly db: Database.Database = new Database(':memory:');
  readonly store = new SqlSearchStore(this, this);
  readonly statements: SqlStatement[] = [];
  private readonly types: string[] = [];
  private readonly paths: string[] = [];
  private readonly systems: string[] = [];
  private readonly foundSystems = new Map<string, number>();
  private clock = 0;

  constructor() {
    for (const statement of statements) this.db.exec(statement);
  }

  typeId(type: string): number | undefined {
    return idIn(this.types, type);
  }

  typeName(id: number): string {
    return this.types[id - 1] ?? '';
  }

  pathId(type: string, kind: string, path: string): number | undefined {
    return idIn(this.paths, `${type} ${kind} ${path}`);
  }

  hasMissed(): boolean {
    return false;
  }

  async catchUp(): Promise<boolean> {
    return false;
  }

  knownTypes(): readonly string[] {
    return this.types;
  }

  typeIds(): readonly number[] {
    return this.types.map((_, index) => index + 1);
  }

  pathIds(kind: string, type?: string): readonly number[] {
    return this.paths.flatMap((path, index) =>
      path.startsWith(type === undefined ? '' : `${type} `) && path.split(' ')[1] === kind ? [index + 1] : [],
    );
  }

  /** Like a database that is asked over a network: nothing is in memory before it was asked for. */
  systemId(url: string): number | undefined {
    return this.foundSystems.get(url);
  }

  async findSystems(urls: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const found = urls.map((url) => [url, idIn(this.systems, url)] as const);
    const known = found.filter((entry): entry is [string, number] => entry[1] !== undefined);
    for (const [url, id] of known) this.foundSystems.set(url, id);
    return new Map(known);
  }

  async systemUrls(ids: readonly number[]): Promise<ReadonlyMap<number, string>> {
    return new Map(ids.map((id) => [id, this.systems[id - 1] ?? '']));
  }

  async all(statement: SqlStatement): Promise<readonly (readonly unknown[])[]> {
    this.statements.push(statement);
    return this.db.prepare(statement.sql).raw().all(statement.bindings) as unknown[][];
  }

  /** SQLite's plan of the last statement. */
  lastPlan(): readonly string[] {
    const statement = this.statements.at(-1)!;
    const rows = this.db.prepare(`explain query plan ${statement.sql}`).all(statement.bindings);
    return (rows as { detail: string }[]).map((row) => row.detail);
  }

  /** Stores a resource with its rows and answers its RES_ID. */
  add(partition: number, key: string, rows: readonly IndexRow[] = []): number {
    const [type = '', id = ''] = key.split('/');
    const text = JSON.stringify({ resourceType: type, id });
    const resource = {
      PARTITION_ID: partition,
      RES_TYPE_ID: this.ensureType(type),
      FHIR_ID: id,
      RES_VER: 1,
      RES_UPDATED: ++this.clock,
      RES_TEXT: text,
    };
    const rowId = this.insert('HFJ_RESOURCE', resource);
    for (const [kind, path, columns] of rows) {
      const param = this.ensurePath(type, kind, path);
      this.insert(TABLES[kind], { PARTITION_ID: partition, PARAM_ID: param, RES_ID: rowId, ...columns });
    }
    return rowId;
  }

  /** What a delete leaves: the resource without text and rows. */
  remove(rowId: number): void {
    this.db
      .prepare('update HFJ_RESOURCE set RES_DELETED_AT = 1, RES_TEXT = null where RES_ID = ?')
      .run(rowId);
    for (const table of Object.values(TABLES))
      this.db.prepare(`delete from ${table} where RES_ID = ?`).run(rowId);
  }

  token(path: string, value: string, system: string | null = null): IndexRow {
    return ['token', path, { SP_VALUE: value, SYS_ID: this.ensureSystem(system) }];
  }

  string(path: string, text: string): IndexRow {
    return ['string', path, { SP_NORM: text.toLowerCase(), SP_EXACT: text }];
  }

  date(path: string, low: number, high = low): IndexRow {
    return ['date', path, { SP_LOW: low, SP_HIGH: high }];
  }

  /** A link to a resource of this database. */
  link(path: string, target: number): IndexRow {
    const type = this.db.prepare('select RES_TYPE_ID from HFJ_RESOURCE where RES_ID = ?').pluck().get(target);
    return ['reference', path, { TARGET_RES_ID: target, TARGET_TYPE_ID: type, TARGET_URL: '' }];
  }

  url(path: string, url: string): IndexRow {
    return ['reference', path, { TARGET_RES_ID: 0, TARGET_TYPE_ID: 0, TARGET_URL: url }];
  }

  quantity(
    path: string,
    value: number,
    unit: { system?: string; code?: string; canonical?: [number, string] },
  ): IndexRow {
    const [canonicalValue, canonicalUnit] = unit.canonical ?? [null, null];
    const columns = {
      SP_VALUE: value,
      SYS_ID: this.ensureSystem(unit.system ?? null),
      SP_CODE: unit.code ?? '',
      SP_UNIT: unit.code ?? '',
      SP_CANON_VALUE: canonicalValue,
      SP_CANON_UNIT: canonicalUnit,
    };
    return ['quantity', path, columns];
  }

  private ensureSystem(system: string | null): number {
    if (system === null) return 0;
    const known = idIn(this.systems, system);
    if (known !== undefined) return known;
    const id = this.systems.push(system);
    this.insert('HFJ_SYSTEM', { SYS_ID: id, SYS_URL: system });
    return id;
  }

  private ensureType(type: string): number {
    const known = this.typeId(type);
    if (known !== undefined) return known;
    const id = this.types.push(type);
    this.insert('HFJ_RES_TYPE', { RES_TYPE_ID: id, RES_TYPE: type });
    return id;
  }

  private ensurePath(type: string, kind: IndexKind, path: string): number {
    const known = this.pathId(type, kind, path);
    if (known !== undefined) return known;
    const id = this.paths.push(`${type} ${kind} ${path}`);
    const row = { PARAM_ID: id, RES_TYPE_ID: this.ensureType(type), SP_TYPE: kind, SP_PATH: path };
    this.insert('HFJ_SP_PATH', row);
    return id;
  }

  private insert(table: string, row: Readonly<Record<string, unknown>>): number {
    const columns = Object.keys(row);
    const places = columns.map(() => '?').join(', ');
    const sql = `insert into ${table} (${columns.join(', ')}) values (${places})`;
    return Number(this.db.prepare(sql).run(Object.values(row)).lastInsertRowid);
  }
}

function idIn(list: readonly string[], item: string): number | undefined {
  const index = list.indexOf(item);
  return index < 0 ? undefined : index + 1;
}
