import type { PartitionId, PartitionScope } from '../../model/partition.js';
import { fromStoredDate } from '../partition-date.js';
import type {
  IncludeQuery,
  RowKey,
  SearchPlan,
  SearchRow,
  SearchStore,
  SearchWindow,
} from '../search-store.js';
import type { Dictionary } from './dictionary.js';
import { sqliteSearchDialect, type SearchDialect } from './search-dialect.js';
import { SearchQueries } from './search-query.js';
import type { SqlReader, SqlStatement } from './sql-reader.js';

/** ROW_COLUMNS and the row's key as they come from the database. */
type Row = readonly [
  rowId: number,
  partition: number,
  partitionDate: number | null,
  typeId: number,
  id: string,
  version: number,
  updated: number,
  text: string,
  ...key: RowKey,
];

/** Search over a SQL database. */
export class SqlSearchStore implements SearchStore {
  private readonly reader: SqlReader;
  private readonly dictionary: Dictionary;
  private readonly queries: SearchQueries;

  constructor(reader: SqlReader, dictionary: Dictionary, dialect: SearchDialect = sqliteSearchDialect()) {
    this.reader = reader;
    this.dictionary = dictionary;
    this.queries = new SearchQueries(dictionary, dialect);
  }

  page(scope: PartitionScope, plan: SearchPlan, window: SearchWindow): Promise<readonly SearchRow[]> {
    return this.rows(this.queries.page(scope, plan, window));
  }

  async count(scope: PartitionScope, plan: SearchPlan, limit?: number): Promise<number> {
    const statement = this.queries.count(scope, plan, limit);
    if (statement === null) return 0;
    const [row] = await this.reader.all(statement);
    return Number(row?.[0]);
  }

  match(scope: PartitionScope, plan: SearchPlan): Promise<readonly SearchRow[]> {
    return this.page(scope, plan, { count: 2 });
  }

  linked(scope: PartitionScope, query: IncludeQuery): Promise<readonly SearchRow[]> {
    return this.rows(this.queries.linked(scope, query));
  }

  private async rows(statement: SqlStatement | null): Promise<readonly SearchRow[]> {
    if (statement === null) return [];
    const rows = (await this.reader.all(statement)) as unknown as readonly Row[];
    return rows.map((row) => this.toSearchRow(row));
  }

  private toSearchRow(row: Row): SearchRow {
    const [rowId, partition, partitionDate, typeId, id, version, updated, text, ...key] = row;
    return {
      rowId,
      partition: partition as PartitionId,
      partitionDate: fromStoredDate(partitionDate),
      type: this.dictionary.typeName(typeId),
      id,
      version,
      updated,
      deleted: false,
      text,
      key,
    };
  }
}
