import type { Statement } from 'better-sqlite3';
import { LRUCache } from 'lru-cache';
import type { Dictionary, PathKind } from '../dictionary.js';
import { type NewNames, pathKey } from '../row-names.js';
import { NEXT_TYPE_ID, typeIdOf } from '../type-ids.js';
import type { SqliteDatabase } from './open.js';

const MAX_SYSTEMS_IN_MEMORY = 20_000;

/** Adds a type that is not there: `@name`, with its `@id` of `typeIdOf`. */
export const ADD_TYPE = `insert or ignore into HFJ_RES_TYPE (RES_TYPE_ID, RES_TYPE)
  select @id + case when exists (select 1 from HFJ_RES_TYPE where RES_TYPE_ID = @id) then ${NEXT_TYPE_ID} else 0 end, @name`;

/**
 * The dictionaries of one SQLite database. New entries are committed on their own before the rows that use them and
 * before they are remembered, so that no id is in memory that the database has given to something else. What is not
 * known here may have been added by another process, so that it is looked up again before it counts as unknown.
 */
export class SqliteDictionary implements Dictionary {
  private readonly types = new Map<string, number>();
  private readonly typeNames = new Map<number, string>();
  private readonly pathKeys = new Map<string, number>();
  /** PARAM_IDs by kind, and by kind and type. */
  private readonly pathLists = new Map<string, number[]>();
  private readonly systems = new LRUCache<string, number>({ max: MAX_SYSTEMS_IN_MEMORY });
  private readonly statements = new Map<string, Statement>();
  private readonly db: SqliteDatabase;
  /** Moves when another process commits; this connection's own commits do not count. */
  private seen: unknown;

  constructor(writer: SqliteDatabase) {
    this.db = writer;
    this.reload();
  }

  /** Takes over what other processes have added. */
  reload(): void {
    this.seen = this.version();
    for (const [id, type] of this.rows<[number, string]>('select RES_TYPE_ID, RES_TYPE from HFJ_RES_TYPE')) {
      this.rememberType(id, type);
    }
    const paths = this.rows<[number, number, PathKind, string]>(
      'select PARAM_ID, RES_TYPE_ID, SP_TYPE, SP_PATH from HFJ_SP_PATH',
    );
    for (const [id, typeId, kind, path] of paths) this.rememberPath(id, this.typeName(typeId), kind, path);
  }

  /** Whether there may be entries that were not known here; they are now. */
  private isStale(): boolean {
    if (this.version() === this.seen) return false;
    this.reload();
    return true;
  }

  private version(): unknown {
    return this.statement('pragma data_version').pluck().get();
  }

  /** Every look-up takes care of that itself. */
  hasMissed(): boolean {
    return false;
  }

  async catchUp(): Promise<boolean> {
    return false;
  }

  async knowTypes(): Promise<void> {
    // `typeName` looks itself.
  }

  typeId(resourceType: string): number | undefined {
    return this.types.get(resourceType) ?? (this.isStale() ? this.types.get(resourceType) : undefined);
  }

  typeName(id: number): string {
    // Another process may have written the first resource of a type a moment ago.
    if (!this.typeNames.has(id)) this.reload();
    const name = this.typeNames.get(id);
    if (name === undefined) throw new Error(`Unknown resource type id ${id}.`);
    return name;
  }

  knownTypes(): readonly string[] {
    this.isStale();
    return [...this.types.keys()];
  }

  typeIds(): readonly number[] {
    this.isStale();
    return [...this.types.values()];
  }

  pathId(resourceType: string, kind: PathKind, path: string): number | undefined {
    const key = pathKey({ type: resourceType, kind, path });
    return this.pathKeys.get(key) ?? (this.isStale() ? this.pathKeys.get(key) : undefined);
  }

  pathIds(kind: PathKind, resourceType?: string): readonly number[] {
    this.isStale();
    return this.pathLists.get(listKey(kind, resourceType)) ?? [];
  }

  /** A look-up here is as quick as one in memory elsewhere. */
  systemId(url: string): number | undefined {
    const known = this.systems.get(url);
    if (known !== undefined) return known;
    const find = this.statement('select SYS_ID from HFJ_SYSTEM where SYS_URL = ?').raw();
    const row = find.get(url) as [number] | undefined;
    if (row !== undefined) this.systems.set(url, row[0]);
    return row?.[0];
  }

  async findSystems(urls: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const found = urls.map((url) => [url, this.systemId(url)] as const);
    return new Map(found.filter((entry): entry is [string, number] => entry[1] !== undefined));
  }

  async systemUrls(ids: readonly number[]): Promise<ReadonlyMap<number, string>> {
    const find = this.statement(
      'select SYS_ID, SYS_URL from HFJ_SYSTEM where SYS_ID in (select value from json_each(?))',
    ).raw();
    return new Map(find.all(JSON.stringify(ids)) as [number, string][]);
  }

  /** Adds what is missing, inside a transaction of the caller; `reload` after its commit makes it known here. */
  insert({ types, paths, systems }: NewNames): void {
    const type = this.statement(ADD_TYPE);
    for (const name of types) type.run({ id: typeIdOf(name), name });
    const path = this.statement(`insert or ignore into HFJ_SP_PATH (RES_TYPE_ID, SP_TYPE, SP_PATH)
      select RES_TYPE_ID, ?, ? from HFJ_RES_TYPE where RES_TYPE = ?`);
    for (const name of paths.values()) path.run(name.kind, name.path, name.type);
    const system = this.statement('insert or ignore into HFJ_SYSTEM (SYS_URL) values (?)');
    for (const url of systems) system.run(url);
  }

  /** A resource may bring thousands of new names: each text is prepared once. */
  private statement(sql: string): Statement {
    const known = this.statements.get(sql) ?? this.db.prepare(sql);
    this.statements.set(sql, known);
    return known;
  }

  private rows<Row>(sql: string): Row[] {
    return this.db.prepare(sql).raw().all() as Row[];
  }

  private rememberPath(id: number, type: string, kind: PathKind, path: string): void {
    const key = pathKey({ type, kind, path });
    if (this.pathKeys.has(key)) return;
    this.pathKeys.set(key, id);
    for (const list of [listKey(kind), listKey(kind, type)]) {
      const ids = this.pathLists.get(list);
      if (ids) ids.push(id);
      else this.pathLists.set(list, [id]);
    }
  }

  private rememberType(id: number, type: string): void {
    this.types.set(type, id);
    this.typeNames.set(id, type);
  }
}

function listKey(kind: PathKind, resourceType = ''): string {
  return `${kind} ${resourceType}`;
}
