import type { PartitionId, PartitionScope } from '../../../src/model/partition.js';
import type { IndexKind, SearchStore } from '../../../src/storage/search-store.js';
import type { Dictionary } from '../../../src/storage/sql/dictionary.js';
import type { ValueRow, ValueTable } from '../../../src/storage/sql/index-rows.js';
import { toParamSet, UNKNOWN_SET } from '../../../src/storage/sql/param-sets.js';
import { SqlSearchStore } from '../../../src/storage/sql/search-store.js';
import type { SqlReader, SqlStatement } from '../../../src/storage/sql/sql-reader.js';
import { openRows, type StoredRow, type TestRows } from './test-rows.js';

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
  text: 'HFJ_RES_FULLTEXT',
};

/** A scope as the resolver makes it. */
export function scopeOf(...ids: number[]): PartitionScope {
  return { partitions: ids as PartitionId[], all: false } as unknown as PartitionScope;
}

let nextRowId = 1;

/** So few ids of sets that they mean several. */
const SETS = 3;

/** Resources and index rows that tests add one by one, and a store over them that remembers its statements. */
export class SearchDatabase implements Dictionary, SqlReader {
  readonly statements: SqlStatement[] = [];
  readonly store: SearchStore;
  private readonly rows: TestRows = openRows();
  /** Written before the next statement. */
  private pending: StoredRow[] = [];
  private readonly resourceTypes = new Map<number, number>();
  private readonly types: string[] = [];
  private readonly paths: string[] = [];
  private readonly systems: string[] = [];
  private readonly foundSystems = new Map<string, number>();
  private readonly sets = new Set<string>();
  private clock = 0;

  constructor() {
    const store = new SqlSearchStore(this, this, this.rows.dialect);
    this.store = {
      page: (scope, plan, window) => store.page(this.stored(scope), plan, window),
      firstPage: (scope, plan, window) => store.firstPage(this.stored(scope), plan, window),
      count: (scope, plan, limit) => store.count(this.stored(scope), plan, limit),
      match: (scope, plan) => store.match(this.stored(scope), plan),
      explain: (scope, plan, window) => store.explain(this.stored(scope), plan, window),
      linked: (scope, query) => store.linked(this.stored(scope), query),
      hasStaleCopies: (scope, types) => store.hasStaleCopies(this.stored(scope), types),
    };
  }

  /** The partitions of a scope as they are stored: databases that share tables have partitions of their own. */
  stored(scope: PartitionScope): PartitionScope {
    return scopeOf(...scope.partitions.map((id) => id + this.rows.firstPartition));
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

  async knowTypes(): Promise<void> {
    // All types are in memory.
  }

  async systemUrls(ids: readonly number[]): Promise<ReadonlyMap<number, string>> {
    return new Map(ids.map((id) => [id, this.systems[id - 1] ?? '']));
  }

  async all(statement: SqlStatement): Promise<readonly (readonly unknown[])[]> {
    this.statements.push(statement);
    const { pending } = this;
    this.pending = [];
    if (pending.length > 0) await this.rows.insert(pending);
    return this.rows.all(statement);
  }

  /** How the database would run the last statement. */
  lastPlan(): Promise<readonly string[]> {
    return this.planOf(this.statements.at(-1)!);
  }

  /** How the database would run a statement. */
  planOf(statement: SqlStatement): Promise<readonly string[]> {
    return this.rows.explain(statement);
  }

  /** Stores a resource with its rows and answers its RES_ID. */
  add(partition: number, key: string, rows: readonly IndexRow[] = []): number {
    const [type = '', id = ''] = key.split('/');
    const rowId = nextRowId++;
    const typeId = this.ensureType(type);
    const own = { PARTITION_ID: partition + this.rows.firstPartition, RES_ID: rowId };
    const text = JSON.stringify({ resourceType: type, id });
    const version = { FHIR_ID: id, RES_VER: 1, RES_UPDATED: ++this.clock, RES_TEXT: text };
    this.resourceTypes.set(rowId, typeId);
    const set = {
      RES_TYPE_ID: typeId,
      RES_PARAMS_ID: this.ensureSet(own.PARTITION_ID, rowId, { type, rows }),
    };
    this.pending.push({ table: 'HFJ_RESOURCE', columns: { ...own, ...set, ...version } });
    for (const [kind, path, columns] of rows) {
      const param = this.ensurePath(type, kind, path);
      this.pending.push({ table: TABLES[kind], columns: { ...own, PARAM_ID: param, ...columns } });
    }
    return rowId;
  }

  /** What a delete leaves of a resource that was just added: neither text nor rows. */
  remove(rowId: number): void {
    this.pending = this.pending.flatMap((row) => {
      if (row.columns['RES_ID'] !== rowId) return [row];
      const columns = { ...row.columns, RES_DELETED_AT: 1, RES_TEXT: null };
      return row.table === 'HFJ_RESOURCE' ? [{ ...row, columns }] : [];
    });
  }

  token(path: string, value: string, system: string | null = null): IndexRow {
    return ['token', path, { SP_VALUE: value, SYS_ID: this.ensureSystem(system) }];
  }

  string(path: string, text: string): IndexRow {
    return ['string', path, { SP_NORM: text.toLowerCase(), SP_EXACT: text }];
  }

  uri(path: string, value: string): IndexRow {
    return ['uri', path, { SP_VALUE: value }];
  }

  date(path: string, low: number, high = low): IndexRow {
    return ['date', path, { SP_LOW: low, SP_HIGH: high }];
  }

  /** A link to a resource of this database. */
  link(path: string, target: number): IndexRow {
    const type = this.resourceTypes.get(target);
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

  /** Of some resources it is not known which paths they have rows on, and many sets have one id. */
  private ensureSet(
    partition: number,
    rowId: number,
    { type, rows }: { readonly type: string; readonly rows: readonly IndexRow[] },
  ): number {
    if (rowId % SETS === UNKNOWN_SET) return UNKNOWN_SET;
    const idOf = ([kind, path]: IndexRow): number => this.ensurePath(type, kind, path);
    const isLink = ([kind]: IndexRow): boolean => kind === 'reference';
    const values = rows.filter((row) => !isLink(row)).map((row) => toValueRow(row, idOf(row)));
    const links = rows.filter(isLink).map((row) => {
      return { paramId: idOf(row), typeId: Number(row[2]['TARGET_TYPE_ID']) };
    });
    const { id, text } = toParamSet(values, links);
    const columns = {
      PARTITION_ID: partition,
      RES_TYPE_ID: this.ensureType(type),
      RES_PARAMS_ID: 1 + (Math.abs(id) % SETS),
      SP_PARAMS: text,
    };
    const key = JSON.stringify(columns);
    if (!this.sets.has(key)) this.pending.push({ table: 'HFJ_RES_PARAMS', columns });
    this.sets.add(key);
    return columns.RES_PARAMS_ID;
  }

  private ensureSystem(system: string | null): number {
    if (system === null) return 0;
    const known = idIn(this.systems, system);
    if (known !== undefined) return known;
    return this.systems.push(system);
  }

  private ensureType(type: string): number {
    const known = this.typeId(type);
    if (known !== undefined) return known;
    return this.types.push(type);
  }

  private ensurePath(type: string, kind: IndexKind, path: string): number {
    const known = this.pathId(type, kind, path);
    if (known !== undefined) return known;
    return this.paths.push(`${type} ${kind} ${path}`);
  }
}

function toValueRow([kind]: IndexRow, paramId: number): ValueRow {
  return { table: kind as ValueTable, columns: [paramId] };
}

function idIn(list: readonly string[], item: string): number | undefined {
  const index = list.indexOf(item);
  return index < 0 ? undefined : index + 1;
}
