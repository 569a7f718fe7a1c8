import { statSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import type { Statement } from 'better-sqlite3';
import { LRUCache } from 'lru-cache';
import type { VersionPage } from '../../export-store.js';
import { PageBuilder, type RowState } from '../export-page.js';
import { PageMemory } from '../page-memory.js';
import type { SqlValue } from '../sql-reader.js';
import { EXPORT_SQL } from './export-sql.js';
import { openReader, type SqliteDatabase } from './open.js';
import { toReusableSql } from './reusable-sql.js';

type NamedValues = Readonly<Record<string, SqlValue>>;

/** What a page holds at most, and whether its rows are named. */
export interface PageShape {
  readonly bytes: number;
  readonly rows: number;
  readonly detail: 'lines' | 'entries' | 'deletions';
}

/** What a worker is asked for. */
export type ExportTask =
  /** Opens a transaction on the file, which sees from now on what is there now. */
  | { readonly kind: 'begin'; readonly file: string }
  /** Ends it, and leaves the file. */
  | { readonly kind: 'end'; readonly file: string }
  | {
      /** `seen rows` are those of the transaction, and of no other one. */
      readonly kind: 'rows' | 'seen rows';
      readonly file: string;
      readonly sql: string;
      readonly bindings: readonly unknown[];
    }
  /** Begins a statement within the transaction, whose one column is a number; its rows are handed out later. */
  | {
      readonly kind: 'open numbers';
      readonly file: string;
      readonly name: number;
      readonly sql: string;
      readonly bindings: readonly unknown[];
    }
  | { readonly kind: 'next numbers'; readonly name: number; readonly count: number }
  | { readonly kind: 'close numbers'; readonly name: number }
  | { readonly kind: 'walk'; readonly file: string; readonly values: NamedValues; readonly page: PageShape }
  | {
      readonly kind: 'list';
      readonly file: string;
      readonly values: NamedValues;
      readonly rowIds: readonly number[];
      readonly page: PageShape;
    };

export interface ExportRequest {
  readonly id: number;
  readonly task: ExportTask;
}

/** What it answers: rows, numbers, or a page, and how many of a list went into it. */
export type ExportResponse =
  | { readonly id: number; readonly error: string }
  | { readonly id: number; readonly rows: readonly (readonly unknown[])[] }
  | { readonly id: number; readonly numbers: readonly number[] }
  | { readonly id: number; readonly page: VersionPage; readonly taken: number };

type WalkRow = readonly [
  rowId: number,
  id: string,
  version: number,
  updated: number,
  state: RowState,
  text: string | null,
];

/** A file with its prepared statements. */
interface OpenFile {
  readonly db: SqliteDatabase;
  readonly inode: number;
  readonly statements: LRUCache<string, Statement>;
}

/** Of 19; a thread without it gets ten times the time. */
const NICENESS = 10;
const MOST_FILES = 4;
const MOST_STATEMENTS = 200;
const SNAPSHOT_GONE = 'The snapshot has gone.';

const memory = new PageMemory();
const files = new LRUCache<string, OpenFile>({ max: MOST_FILES, dispose: ({ db }) => db.close() });

/** A partition that was deleted and made anew has another file of the same name. */
function openFile(file: string): OpenFile {
  const known = files.get(file);
  if (known?.db.inTransaction === true) return known;
  const { ino: inode } = statSync(file);
  if (known?.inode === inode) return known;
  const opened = {
    db: openReader(file, 'walk'),
    inode,
    statements: new LRUCache<string, Statement>({ max: MOST_STATEMENTS }),
  };
  files.set(file, opened);
  return opened;
}

function prepare({ db, statements }: OpenFile, sql: string): Statement {
  const statement = statements.get(sql) ?? db.prepare(toReusableSql(sql)).raw();
  statements.set(sql, statement);
  return statement;
}

/** Statements whose rows are handed out piece by piece. A statement that is under way cannot be shared. */
const numbers = new Map<number, IterableIterator<number>>();

function openNumbers({ file, name, sql, bindings }: Extract<ExportTask, { kind: 'open numbers' }>): void {
  const { db } = openFile(file);
  if (!db.inTransaction) throw new Error(SNAPSHOT_GONE);
  const statement = db.prepare(toReusableSql(sql)).pluck();
  numbers.set(name, statement.iterate(...bindings) as IterableIterator<number>);
}

function nextNumbers(name: number, count: number): readonly number[] {
  const rows = numbers.get(name);
  if (rows === undefined) throw new Error(SNAPSHOT_GONE);
  const next: number[] = [];
  while (next.length < count) {
    const { done, value } = rows.next();
    if (done === true) break;
    next.push(value);
  }
  return next;
}

function closeNumbers(name: number): void {
  numbers.get(name)?.return?.();
  numbers.delete(name);
}

function addRow(page: PageBuilder, [rowId, id, version, updated, state, text]: WalkRow): void {
  page.add({ rowId, id, version, updated, state }, text);
}

/** What fails gives up its memory. */
function build<Result>(shape: PageShape, work: (page: PageBuilder) => Result): Result {
  const page = new PageBuilder(shape, shape.detail, memory);
  try {
    return work(page);
  } catch (error) {
    page.abandon();
    throw error;
  }
}

function walk(file: OpenFile, values: NamedValues, page: PageBuilder): VersionPage {
  for (const row of prepare(file, EXPORT_SQL.walk).iterate(values) as IterableIterator<WalkRow>) {
    addRow(page, row);
    if (page.isFull) break;
  }
  return page.finish();
}

function list(
  file: OpenFile,
  { values, rowIds }: Extract<ExportTask, { kind: 'list' }>,
  page: PageBuilder,
): { readonly page: VersionPage; readonly taken: number } {
  let taken = 0;
  while (taken < rowIds.length && !page.isFull) {
    const named = { ...values, rowId: rowIds[taken++] };
    // What is replaced between the two has its version of the time among those that were.
    const row =
      prepare(file, EXPORT_SQL.currentAt).get(named) ?? prepare(file, EXPORT_SQL.replacedAt).get(named);
    if (row !== undefined) addRow(page, row as WalkRow);
  }
  return { page: page.finish(), taken };
}

function run({ id, task }: ExportRequest): ExportResponse {
  try {
    switch (task.kind) {
      case 'begin': {
        const file = openFile(task.file);
        file.db.exec('begin');
        return { id, rows: prepare(file, EXPORT_SQL.look).all() as unknown[][] };
      }
      case 'end':
        for (const name of numbers.keys()) closeNumbers(name);
        files.delete(task.file);
        return { id, rows: [] };
      case 'rows':
      case 'seen rows': {
        const file = openFile(task.file);
        if (task.kind === 'seen rows' && !file.db.inTransaction) throw new Error(SNAPSHOT_GONE);
        return { id, rows: prepare(file, task.sql).all(...task.bindings) as unknown[][] };
      }
      case 'open numbers':
        openNumbers(task);
        return { id, numbers: [] };
      case 'next numbers':
        return { id, numbers: nextNumbers(task.name, task.count) };
      case 'close numbers':
        closeNumbers(task.name);
        return { id, numbers: [] };
      case 'walk':
        return {
          id,
          page: build(task.page, (page) => walk(openFile(task.file), task.values, page)),
          taken: 0,
        };
      case 'list':
        return { id, ...build(task.page, (page) => list(openFile(task.file), task, page)) };
    }
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}

// Whoever reads or writes goes first. Elsewhere a priority is one of the whole process.
if (process.platform === 'linux') setPriority(NICENESS);

parentPort?.on('message', (request: ExportRequest) => parentPort?.postMessage(run(request)));
