import type { Knex } from 'knex';
import type { PartitionScope } from '../../model/partition.js';
import { toMarkers, type Slot, type Slots } from './slots.js';
import type { SearchDialect } from './search-dialect.js';
import type { PartitionedTable } from './tables.js';

/** More partitions than this travel as one JSON list, so that the number of different statements stays small. */
const LARGEST_LIST = 8;

/**
 * The only door to partitioned tables for compiled SQL. Every table that is opened or joined here carries its own
 * predicate on PARTITION_ID for the scope; there is no way to get one without.
 */
export class ScopedTables {
  /** Equal texts mean equal SQL. */
  readonly shape: string;
  /** Whether rows of several partitions can come together. */
  readonly plural: boolean;
  private readonly dialect: SearchDialect;
  private readonly slots: readonly Slot[];

  /** Puts the scope's ids among the values. @throws Error for a scope without partitions */
  constructor(dialect: SearchDialect, scope: PartitionScope, values: Slots) {
    if (scope.partitions.length === 0) throw new Error('A scope without partitions reads nothing.');
    this.dialect = dialect;
    this.plural = scope.partitions.length > 1;
    const asList = scope.partitions.length > LARGEST_LIST;
    this.slots = asList
      ? [values.add(JSON.stringify(scope.partitions))]
      : values.addAll(padded(scope.partitions));
    this.shape = asList ? 'list' : String(this.slots.length);
  }

  /** A query on one partitioned table. */
  open(table: PartitionedTable, alias: string): Knex.QueryBuilder {
    return this.restrict(this.dialect.knex.queryBuilder().from({ [alias]: table }), alias);
  }

  /** The same for rows of one resource, which an index by RES_ID finds. */
  openOfResource(table: PartitionedTable, alias: string): Knex.QueryBuilder {
    const query = this.dialect.knex.queryBuilder().from({ [alias]: table });
    return query.whereRaw(
      this.predicate(this.dialect.ofResource(`${alias}.PARTITION_ID`)),
      toMarkers(this.slots),
    );
  }

  /** Adds a partitioned table after those that the query has; SQLite keeps this order. */
  join(query: Knex.QueryBuilder, table: PartitionedTable, alias: string): Knex.QueryBuilder {
    return this.restrict(query.crossJoin(this.dialect.knex.raw(`${table} as ${alias}`)), alias);
  }

  /** The same for a table whose rows are looked up by RES_ID, whatever else an index offers. */
  joinByRowId(query: Knex.QueryBuilder, table: PartitionedTable, alias: string): Knex.QueryBuilder {
    const named = this.dialect.knex.raw(`${table} as ${alias}${this.dialect.byRowId}`);
    return this.restrict(query.crossJoin(named), alias);
  }

  /** The same for rows that come from elsewhere, and have a PARTITION_ID. */
  hold(query: Knex.QueryBuilder, alias: string): Knex.QueryBuilder {
    return this.restrict(query, alias);
  }

  private restrict(query: Knex.QueryBuilder, alias: string): Knex.QueryBuilder {
    return query.whereRaw(this.predicate(`${alias}.PARTITION_ID`), toMarkers(this.slots));
  }

  private predicate(column: string): string {
    if (this.shape === 'list') return this.dialect.inJsonList(column);
    if (this.slots.length === 1) return `${column} = ?`;
    return `${column} in (${this.slots.map(() => '?').join(', ')})`;
  }
}

/** Fills up to the next power of two with the last one, so that few list lengths exist. */
export function padded<Item>(items: readonly Item[]): readonly Item[] {
  const last = items.at(-1);
  if (last === undefined) return items;
  const size = 2 ** Math.ceil(Math.log2(items.length));
  return [...items, ...Array.from({ length: size - items.length }, () => last)];
}
