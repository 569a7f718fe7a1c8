import type { PartitionId, PartitionScope } from '../../model/partition.js';
import { fromStoredDate } from '../partition-date.js';
import type {
  CountedPage,
  ExplainedStatement,
  FirstWindow,
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
import { ROW_COLUMNS } from './search-columns.js';
import { SearchQueries } from './search-query.js';
import { ShortCounts } from './short-counts.js';
import type { SqlReader, SqlStatement } from './sql-reader.js';

/** ROW_COLUMNS, and what follows them. */
type Row = readonly [
  rowId: number,
  partitionDate: number | null,
  id: string,
  version: number,
  updated: number,
  text: string,
  ...rest: RowKey,
];

/** What is known of rows before they are read. */
interface Known {
  /** Undefined: each row tells. */
  readonly partition: PartitionId | undefined;
  readonly type: string | undefined;
}

/** Which page is asked for. */
interface PageQuery {
  readonly scope: PartitionScope;
  readonly plan: SearchPlan;
  readonly window: SearchWindow;
}

type Write = (systemIds: SystemIds) => SqlStatement | null;

/** A line of a plan that compares, and may hold values: `Index Cond: (SP_NORM = 'x')`. */
const CONDITION = /^\s*[A-Za-z][\w -]*: /;

/** Search over a SQL database. */
export class SqlSearchStore implements SearchStore {
  private readonly reader: SqlReader;
  private readonly dictionary: Dictionary;
  private readonly dialect: SearchDialect;
  private readonly queries: SearchQueries;
  private readonly shortCounts = new ShortCounts();

  constructor(reader: SqlReader, dictionary: Dictionary, dialect: SearchDialect = sqliteSearchDialect()) {
    this.reader = reader;
    this.dictionary = dictionary;
    this.dialect = dialect;
    this.queries = new SearchQueries(dictionary, dialect);
  }

  async page(scope: PartitionScope, plan: SearchPlan, window: SearchWindow): Promise<readonly SearchRow[]> {
    const statement = await this.prepare(this.pageOf(scope, plan, window));
    return statement === null ? [] : await this.pageRows({ scope, plan, window }, statement);
  }

  async firstPage(scope: PartitionScope, plan: SearchPlan, window: FirstWindow): Promise<CountedPage> {
    const page = await this.prepare(this.pageOf(scope, plan, window));
    if (page === null) return { rows: [], counted: undefined };
    if (this.reader.together && page.plan === 'generic') {
      const count = await this.prepare(this.countOf(scope, plan, window.countTo));
      if (count?.plan === 'generic') {
        const [rows = [], counts] = await this.reader.together([page, count]);
        return { rows: await this.toPage(scope, plan, rows), counted: toCount(counts) };
      }
    }
    const rows = await this.pageRows({ scope, plan, window }, page);
    const isFull = rows.length === window.count;
    return { rows, counted: isFull ? await this.count(scope, plan, window.countTo) : undefined };
  }

  async count(scope: PartitionScope, plan: SearchPlan, limit?: number): Promise<number> {
    const { quickCount } = this.dialect;
    const first = await this.prepare(this.countOf(scope, plan, limit ?? quickCount ?? undefined));
    if (first === null) return 0;
    if (limit !== undefined || quickCount === null) return toCount(await this.reader.all(first));
    const isShort = this.shortCounts.has(first);
    if (!isShort && first.cost === 'cheap') {
      const counted = toCount(await this.reader.all(first));
      if (counted < quickCount) return counted;
    }
    const whole = await this.prepare(this.countOf(scope, plan, undefined));
    if (whole === null) return 0;
    const number = toCount(await this.reader.all(isShort ? { ...whole, cost: 'cheap' } : whole));
    // Only what has one plan looks at nothing but what it counts.
    if (whole.plan === 'fixed') this.shortCounts.note(first, number);
    return number;
  }

  match(scope: PartitionScope, plan: SearchPlan): Promise<readonly SearchRow[]> {
    return this.page(scope, plan, { count: 2 });
  }

  async explain(
    scope: PartitionScope,
    plan: SearchPlan,
    window: SearchWindow,
  ): Promise<readonly ExplainedStatement[]> {
    const ordered = await this.prepare(this.orderedOf({ scope, plan, window }));
    const statement = ordered ?? (await this.prepare(this.pageOf(scope, plan, window)));
    if (statement === null) return [];
    const sql = `${this.dialect.explain} ${statement.sql}`;
    const rows = await this.reader.all({ ...statement, sql, cost: 'cheap', plan: 'custom' });
    const steps = rows.map((row) => String(row.at(-1))).filter((step) => !CONDITION.test(step));
    return [{ sql: statement.sql, steps }];
  }

  async linked(scope: PartitionScope, query: IncludeQuery): Promise<readonly SearchRow[]> {
    const statement = await this.prepare(() => this.queries.linked(scope, query));
    if (statement === null) return [];
    const rows = (await this.reader.all(statement)) as unknown as readonly Row[];
    await this.dictionary.knowTypes(rows.map((row) => row.at(-1) as number));
    const known = { partition: onlyPartition(scope), type: undefined };
    return rows.map((row) => ({ ...this.toSearchRow(row, known), key: [] }));
  }

  async hasStaleCopies(scope: PartitionScope, types: readonly string[]): Promise<boolean> {
    const statement = await this.prepare(() => this.queries.staleCopies(scope, types));
    return statement !== null && (await this.reader.all(statement)).length > 0;
  }

  /** What answers RES_ID of everything that matches, each once and in order; null where nothing can. */
  protected statementOfRowIds(scope: PartitionScope, plan: SearchPlan): Promise<SqlStatement | null> {
    return this.prepare((systemIds) => this.queries.rowIds({ scope, systemIds }, plan));
  }

  /** A walk along an index is tried first, where one has the order: only what it does not fill needs the statement. */
  private async pageRows(asked: PageQuery, statement: SqlStatement): Promise<readonly SearchRow[]> {
    const { scope, plan, window } = asked;
    const ordered = await this.prepare(this.orderedOf(asked));
    const walked = ordered && (await this.reader.all(ordered));
    const isFull = walked?.length === window.count;
    return this.toPage(scope, plan, isFull ? walked : await this.reader.all(statement));
  }

  private orderedOf({ scope, plan, window }: PageQuery): Write {
    return (systemIds) => this.queries.orderedPage({ scope, systemIds }, plan, window);
  }

  private pageOf(scope: PartitionScope, plan: SearchPlan, window: SearchWindow): Write {
    return (systemIds) => this.queries.page({ scope, systemIds }, plan, window);
  }

  private countOf(scope: PartitionScope, plan: SearchPlan, limit: number | undefined): Write {
    return (systemIds) => this.queries.count({ scope, systemIds }, plan, limit);
  }

  /** The database is asked for systems only where one is not in memory; only then the statement is made twice. */
  private async prepare(write: Write): Promise<SqlStatement | null> {
    const statement = await this.prepareOnce(write);
    if (!this.dictionary.hasMissed()) return statement;
    return (await this.dictionary.catchUp()) ? this.prepareOnce(write) : statement;
  }

  private async prepareOnce(write: Write): Promise<SqlStatement | null> {
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

  private async toPage(
    scope: PartitionScope,
    { type, contained }: SearchPlan,
    answered: readonly (readonly unknown[])[],
  ): Promise<readonly SearchRow[]> {
    const rows = answered as unknown as readonly Row[];
    const partition = onlyPartition(scope);
    if (typeof type === 'string') return rows.map((row) => this.toSearchRow(row, { partition, type }));
    const place = ROW_COLUMNS.length + (partition === undefined ? 1 : 0);
    await this.dictionary.knowTypes(rows.map((row) => row[place] as number));
    const found = rows.map((row) => this.toSearchRow(row, { partition, type: undefined }));
    return contained === undefined ? found : found.map(toPart);
  }

  private toSearchRow(row: Row, { partition, type }: Known): SearchRow {
    let next: number = ROW_COLUMNS.length;
    const partitionOf = partition ?? (row[next++] as PartitionId);
    const typeOf = type ?? this.dictionary.typeName(row[next++] as number);
    return {
      rowId: row[0],
      partition: partitionOf,
      partitionDate: fromStoredDate(row[1]),
      type: typeOf,
      id: row[2],
      version: row[3],
      updated: row[4],
      deleted: false,
      text: row[5],
      key: row.length === next ? [row[0]] : (row.slice(next) as RowKey),
    };
  }
}

/** The key ends with PART: 0 is the resource itself. */
function toPart(row: SearchRow): SearchRow {
  const place = Number(row.key.at(-1));
  return place === 0 ? row : { ...row, part: place - 1 };
}

/** Where a scope has several, each row tells its own; see ROW_COLUMNS. */
function onlyPartition({ partitions }: PartitionScope): PartitionId | undefined {
  return partitions.length === 1 ? partitions[0] : undefined;
}

function toCount(rows: readonly (readonly unknown[])[] | undefined): number {
  return Number(rows?.[0]?.[0]);
}
