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
import type { SystemIds } from './predicates/system.js';
import { sqliteSearchDialect, type SearchDialect } from './search-dialect.js';
import { ROW_COLUMNS } from './search-page.js';
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
    return this.rows((systemIds) => this.queries.page({ scope, systemIds }, plan, window));
  }

  async count(scope: PartitionScope, plan: SearchPlan, limit?: number): Promise<number> {
    const statement = await this.prepare((systemIds) =>
      this.queries.count({ scope, systemIds }, plan, limit),
    );
    if (statement === null) return 0;
    const [row] = await this.reader.all(statement);
    return Number(row?.[0]);
  }

  match(scope: PartitionScope, plan: SearchPlan): Promise<readonly SearchRow[]> {
    return this.page(scope, plan, { count: 2 });
  }

  linked(scope: PartitionScope, query: IncludeQuery): Promise<readonly SearchRow[]> {
    return this.rows(() => this.queries.linked(scope, query), 'any');
  }

  private async rows(
    write: (systemIds: SystemIds) => SqlStatement | null,
    types: 'one' | 'any' = 'one',
  ): Promise<readonly SearchRow[]> {
    const statement = await this.prepare(write);
    if (statement === null) return [];
    const rows = (await this.reader.all(statement)) as unknown as readonly Row[];
    if (types === 'any') await this.dictionary.knowTypes(rows.map((row) => row[3]));
    return rows.map((row) => this.toSearchRow(row));
  }

  /** The database is asked for systems only where one is not in memory; only then the statement is made twice. */
  private async prepare(write: (systemIds: SystemIds) => SqlStatement | null): Promise<SqlStatement | null> {
    const statement = await this.prepareOnce(write);
    if (!this.dictionary.hasMissed()) return statement;
    return (await this.dictionary.catchUp()) ? this.prepareOnce(write) : statement;
  }

  private async prepareOnce(
    write: (systemIds: SystemIds) => SqlStatement | null,
  ): Promise<SqlStatement | null> {
    const known = new Map<string, number>();
    const unknown: string[] = [];
    const statement = write((url) => {
      const id = this.dictionary.systemId(url);
      if (id === undefined) unknown.push(url);
      else known.set(url, id);
      return id;
    });
    if (unknown.length === 0) return statement;
    const found = await this.dictionary.findSystems(unknown);
    return found.size === 0 ? statement : write((url) => known.get(url) ?? found.get(url));
  }

  private toSearchRow(row: Row): SearchRow {
    const [rowId, partition, partitionDate, typeId, id, version, updated, text] = row;
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
      key: row.slice(ROW_COLUMNS.length) as RowKey,
    };
  }
}
