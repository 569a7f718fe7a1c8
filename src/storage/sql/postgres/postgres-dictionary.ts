import { LRUCache } from 'lru-cache';
import { NO_SYSTEM, type Dictionary, type PathKind } from '../dictionary.js';
import { type NewNames, pathKey, type PathName } from '../row-names.js';
import { int4Array, textArray } from './binary-array.js';
import type { PostgresConnections } from './connections.js';
import type { PgStatement } from './statement.js';
import { ADD_TYPES, typeValues } from './type-sql.js';

const MAX_SYSTEMS_IN_MEMORY = 20_000;

/** `[id, name]`. */
type NameRow = readonly [number, string];
type PathRow = readonly [id: number, typeId: number, kind: PathKind, path: string];

/**
 * The dictionaries of one installation, in the main database. New names are committed on their own before the rows
 * that use them. What is not known here may have been added by another server: `catchUp` tells.
 */
export class PostgresDictionary implements Dictionary {
  private types = new Map<string, number>();
  private typeNames = new Map<number, string>();
  private paths = new Map<string, number>();
  private pathLists = new Map<string, number[]>();
  private readonly systems = new LRUCache<string, number>({ max: MAX_SYSTEMS_IN_MEMORY });
  private missed = false;

  constructor(private readonly connections: PostgresConnections) {}

  /** Takes over what other servers have added. */
  async load(): Promise<void> {
    const [types, paths] = await this.connections.read('none', [ALL_TYPES, ALL_PATHS]);
    for (const [id, name] of (types?.rows ?? []) as unknown as readonly NameRow[])
      this.rememberType(id, name);
    for (const [id, typeId, kind, path] of (paths?.rows ?? []) as unknown as readonly PathRow[]) {
      this.rememberPath(id, { type: this.typeName(typeId), kind, path });
    }
  }

  hasMissed(): boolean {
    return this.missed;
  }

  async catchUp(): Promise<boolean> {
    this.missed = false;
    const [counts] = await this.connections.read('none', [COUNTS]);
    const [types, paths] = counts?.rows[0] ?? [];
    if (types === this.types.size && paths === this.paths.size) return false;
    await this.load();
    return true;
  }

  /** Loads again if one of the types is not known here. */
  async knowTypes(ids: readonly number[]): Promise<void> {
    if (!ids.every((id) => this.typeNames.has(id))) await this.load();
  }

  typeId(resourceType: string): number | undefined {
    return this.found(this.types.get(resourceType));
  }

  typeName(id: number): string {
    const name = this.typeNames.get(id);
    if (name === undefined) throw new Error(`Unknown resource type id ${id}.`);
    return name;
  }

  knownTypes(): readonly string[] {
    return [...this.types.keys()];
  }

  typeIds(): readonly number[] {
    return [...this.types.values()];
  }

  pathId(resourceType: string, kind: PathKind, path: string): number | undefined {
    return this.found(this.paths.get(pathKey({ type: resourceType, kind, path })));
  }

  pathIds(kind: PathKind, resourceType = ''): readonly number[] {
    return this.pathLists.get(listKey(kind, resourceType)) ?? [];
  }

  systemId(url: string): number | undefined {
    return this.systems.get(url);
  }

  async findSystems(urls: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const statement = { ...FIND_SYSTEMS, values: [textArray(urls)] };
    const [result] = await this.connections.read('none', [statement]);
    return this.rememberSystems((result?.rows ?? []) as unknown as readonly NameRow[]);
  }

  async systemUrls(ids: readonly number[]): Promise<ReadonlyMap<number, string>> {
    const asked = ids.filter((id) => id !== NO_SYSTEM);
    const [result] = await this.connections.read('none', [{ ...SYSTEM_URLS, values: [int4Array(asked)] }]);
    return new Map((result?.rows ?? []) as unknown as readonly NameRow[]);
  }

  /** Makes the names known, each once whoever else does so. Answers the ids of the systems. */
  async add(names: NewNames): Promise<ReadonlyMap<string, number>> {
    if (names.types.size > 0) await this.addTypes([...names.types]);
    if (names.paths.size > 0) await this.addPaths([...names.paths.values()]);
    return names.systems.size > 0 ? this.addSystems([...names.systems]) : new Map();
  }

  private async addTypes(types: readonly string[]): Promise<void> {
    const values = typeValues(types.toSorted());
    await this.connections.write('none', [{ name: 'dictionary add types', text: ADD_TYPES, values }]);
    const [result] = await this.connections.read('none', [ALL_TYPES]);
    for (const [id, name] of (result?.rows ?? []) as unknown as readonly NameRow[])
      this.rememberType(id, name);
  }

  private async addPaths(paths: readonly PathName[]): Promise<void> {
    const values = [
      int4Array(paths.map(({ type }) => this.types.get(type)!)),
      textArray(paths.map(({ kind }) => kind)),
      textArray(paths.map(({ path }) => path)),
    ];
    await this.connections.write('none', [{ ...ADD_PATHS, values }]);
    const [result] = await this.connections.read('none', [{ ...FIND_PATHS, values }]);
    for (const [id, typeId, kind, path] of (result?.rows ?? []) as unknown as readonly PathRow[]) {
      this.rememberPath(id, { type: this.typeName(typeId), kind, path });
    }
  }

  private async addSystems(urls: readonly string[]): Promise<ReadonlyMap<string, number>> {
    await this.connections.write('none', [{ ...ADD_SYSTEMS, values: [textArray(urls.toSorted())] }]);
    return this.findSystems(urls);
  }

  private rememberSystems(rows: readonly NameRow[]): ReadonlyMap<string, number> {
    for (const [id, url] of rows) this.systems.set(url, id);
    return new Map(rows.map(([id, url]) => [url, id]));
  }

  private rememberType(id: number, name: string): void {
    this.types.set(name, id);
    this.typeNames.set(id, name);
  }

  private rememberPath(id: number, name: PathName): void {
    const key = pathKey(name);
    if (this.paths.has(key)) return;
    this.paths.set(key, id);
    for (const type of ['', name.type]) {
      const list = listKey(name.kind, type);
      const ids = this.pathLists.get(list) ?? [];
      ids.push(id);
      this.pathLists.set(list, ids);
    }
  }

  private found(id: number | undefined): number | undefined {
    if (id === undefined) this.missed = true;
    return id;
  }
}

function listKey(kind: PathKind, type: string): string {
  return `${kind} ${type}`;
}

const COUNTS: PgStatement = {
  name: 'dictionary counts',
  text: 'select (select count(*) from HFJ_RES_TYPE), (select count(*) from HFJ_SP_PATH)',
  values: [],
};
const ALL_TYPES: PgStatement = {
  name: 'dictionary types',
  text: 'select RES_TYPE_ID, RES_TYPE from HFJ_RES_TYPE',
  values: [],
};
const ALL_PATHS: PgStatement = {
  name: 'dictionary paths',
  text: 'select PARAM_ID, RES_TYPE_ID, SP_TYPE, SP_PATH from HFJ_SP_PATH order by PARAM_ID',
  values: [],
};
const ADD_PATHS = {
  name: 'dictionary add paths',
  text: `insert into HFJ_SP_PATH (RES_TYPE_ID, SP_TYPE, SP_PATH)
    select type, kind, path from unnest($1::integer[], $2::text[], $3::text[]) n (type, kind, path)
    where not exists (select 1 from HFJ_SP_PATH p
      where p.RES_TYPE_ID = n.type and p.SP_TYPE = n.kind and p.SP_PATH = n.path)
    order by 1, 2, 3 on conflict do nothing`,
};
const FIND_PATHS = {
  name: 'dictionary find paths',
  text: `select p.PARAM_ID, p.RES_TYPE_ID, p.SP_TYPE, p.SP_PATH
    from unnest($1::integer[], $2::text[], $3::text[]) n (type, kind, path)
    join HFJ_SP_PATH p on p.RES_TYPE_ID = n.type and p.SP_TYPE = n.kind and p.SP_PATH = n.path`,
};
const ADD_SYSTEMS = {
  name: 'dictionary add systems',
  text: `insert into HFJ_SYSTEM (SYS_URL) select url from unnest($1::text[]) url
    where not exists (select 1 from HFJ_SYSTEM s where s.SYS_URL = url) on conflict do nothing`,
};
const FIND_SYSTEMS = {
  name: 'dictionary find systems',
  text: 'select SYS_ID, SYS_URL from HFJ_SYSTEM where SYS_URL = any ($1::text[])',
};
const SYSTEM_URLS = {
  name: 'dictionary system urls',
  text: 'select SYS_ID, SYS_URL from HFJ_SYSTEM where SYS_ID = any ($1::integer[])',
};
