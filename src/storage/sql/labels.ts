import type { Knex } from 'knex';
import type { PartitionScope } from '../../model/partition.js';
import type { Coding, Meta } from '../../model/resource.js';
import type { LabelStore } from '../store.js';
import { NO_SYSTEM, type Dictionary, type PathKind } from './dictionary.js';
import { ScopedTables } from './scoped-tables.js';
import { sqliteSearchDialect, type SearchDialect } from './search-dialect.js';
import { Slots, toMarkers, toSlots } from './slots.js';
import type { SqlReader } from './sql-reader.js';
import type { PartitionedTable } from './tables.js';

/** More labels of one kind than this are not listed. */
const MOST_LABELS = 1_000;
/** Beyond the last that is listed: of one code in several systems, all are listed or none. */
const NEXT_LABEL = MOST_LABELS + 1;

/** Where labels of one kind are indexed. */
interface LabelRows {
  readonly table: Extract<PartitionedTable, 'HFJ_SPIDX_TOKEN' | 'HFJ_SPIDX_URI'>;
  readonly columns: readonly string[];
  /** PARAM_IDs. */
  readonly paths: readonly number[];
}

/** Labels in use, from the search indexes: at most 1,000 of each kind. */
export class SqlLabelStore implements LabelStore {
  constructor(
    private readonly reader: SqlReader,
    private readonly dictionary: Dictionary,
    private readonly dialect: SearchDialect = sqliteSearchDialect(),
  ) {}

  async inUse(scope: PartitionScope, types: readonly string[] | undefined): Promise<Meta> {
    const [profile, security, tag] = await Promise.all([
      this.profiles(scope, types),
      this.codings(scope, this.paths(types, 'token', 'meta.security')),
      this.codings(scope, this.paths(types, 'token', 'meta.tag')),
    ]);
    return {
      ...(profile.length === 0 ? {} : { profile }),
      ...(security.length === 0 ? {} : { security }),
      ...(tag.length === 0 ? {} : { tag }),
    };
  }

  private paths(types: readonly string[] | undefined, kind: PathKind, path: string): readonly number[] {
    return (types ?? this.dictionary.knownTypes()).flatMap(
      (type) => this.dictionary.pathId(type, kind, path) ?? [],
    );
  }

  private async profiles(scope: PartitionScope, types: readonly string[] | undefined): Promise<string[]> {
    const paths = this.paths(types, 'uri', 'meta.profile');
    const rows = await this.distinct(scope, { table: 'HFJ_SPIDX_URI', columns: ['SP_VALUE'], paths });
    return rows.map(([url]) => String(url));
  }

  /** By system, those without one first, then by code. */
  private async codings(scope: PartitionScope, paths: readonly number[]): Promise<Coding[]> {
    const columns = ['SP_VALUE', 'SYS_ID'];
    const rows = await this.distinct(scope, { table: 'HFJ_SPIDX_TOKEN', columns, paths });
    const ids = new Set(rows.map(([, id]) => Number(id)).filter((id) => id !== NO_SYSTEM));
    const systems = await this.dictionary.systemUrls([...ids]);
    return rows
      .map(([code, id]) => ({ system: systems.get(Number(id)) ?? '', code: String(code) }))
      .toSorted((a, b) => compare(a.system, b.system) || compare(a.code, b.code))
      .map(({ system, code }) => (system === '' ? { code } : { system, code }));
  }

  private async distinct(scope: PartitionScope, rows: LabelRows): Promise<readonly (readonly unknown[])[]> {
    if (rows.paths.length === 0) return [];
    const slots = new Slots();
    const { sql, bindings } = this.query(new ScopedTables(this.dialect, scope, slots), rows, slots)
      .toSQL()
      .toNative();
    const values = toSlots(bindings).map((slot) => slots.values[slot] ?? null);
    const { partitions } = scope;
    const found = await this.reader.all({
      sql,
      bindings: values,
      cost: 'expensive',
      partitions,
      plan: 'custom',
    });
    const [cut] = found[MOST_LABELS] ?? [];
    return cut === undefined ? found : found.filter(([value]) => value !== cut);
  }

  private query(tables: ScopedTables, { table, columns, paths }: LabelRows, slots: Slots): Knex.QueryBuilder {
    const query = tables.open(table, 't').distinct(columns.map((column) => `t.${column}`));
    query.whereRaw(this.dialect.inJsonList('t.PARAM_ID'), toMarkers([slots.add(JSON.stringify(paths))]));
    for (const column of columns) query.orderBy(`t.${column}`);
    return query.limit(...(toMarkers([slots.add(NEXT_LABEL)]) as [number]));
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
