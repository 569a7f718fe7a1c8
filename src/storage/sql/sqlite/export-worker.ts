import { statSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { Statement } from 'better-sqlite3';
import { LRUCache } from 'lru-cache';
import type { VersionPage } from '../../export-store.js';
import { PageBuilder, type RowState } from '../export-page.js';
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
  | {
      /** `seen rows` are those of the transaction, and of no other one. */
      readonly kind: 'rows' | 'seen rows';
      readonly file: string;
      readonly sql: string;
      readonly bindings: readonly unknown[];
    }
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

/** What it answers: rows, or a page, and how many of a list went into it. */
export type ExportResponse =
  | { readonly id: number; readonly error: string }
  | { readonly id: number; readonly rows: readonly (readonly unknown[])[] }
  | { readonly id: number; readonly page: VersionPage; readonly taken: number };

type WalkRow = readonly [
  rowId: number,
  id: string,
  version: number,
  updated: number,
  state: RowState,
  text: Buffer | null,
];

/** A file with its prepared statements. */
interface OpenFile {
  readonly db: SqliteDatabase;
  readonly inode: number;
  readonly statements: LRUCache<string, Statement>;
}

const MOST_FILES = 4;
const MOST_STATEMENTS = 200;

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

function addRow(page: PageBuilder, [rowId, id, version, updated, state, text]: WalkRow): void {
  page.add({ rowId, id, version, updated, state }, text);
}

function walk(file: OpenFile, values: NamedValues, shape: PageShape): PageBuilder {
  const page = new PageBuilder(shape, shape.detail);
  for (const row of prepare(file, EXPORT_SQL.walk).iterate(values) as IterableIterator<WalkRow>) {
    addRow(page, row);
    if (page.isFull) break;
  }
  return page;
}

function list(
  file: OpenFile,
  { values, rowIds, page: shape }: Extract<ExportTask, { kind: 'list' }>,
): { readonly page: PageBuilder; readonly taken: number } {
  const page = new PageBuilder(shape, shape.detail);
  let taken = 0;
  while (taken < rowIds.length && !page.isFull) {
    const named = { ...values, rowId: rowIds[taken++] };
    // What is replaced between the two has its version of the time among those that were.
    const row =
      prepare(file, EXPORT_SQL.currentAt).get(named) ?? prepare(file, EXPORT_SQL.replacedAt).get(named);
    if (row !== undefined) addRow(page, row as WalkRow);
  }
  return { page, taken };
}

function run({ id, task }: ExportRequest): ExportResponse {
  try {
    const file = openFile(task.file);
    switch (task.kind) {
      case 'begin':
        file.db.exec('begin');
        return { id, rows: prepare(file, EXPORT_SQL.look).all() as unknown[][] };
      case 'rows':
      case 'seen rows':
        if (task.kind === 'seen rows' && !file.db.inTransaction) throw new Error('The snapshot has gone.');
        return { id, rows: prepare(file, task.sql).all(...task.bindings) as unknown[][] };
      case 'walk':
        return { id, page: walk(file, task.values, task.page).finish(), taken: 0 };
      case 'list': {
        const { page, taken } = list(file, task);
        return { id, page: page.finish(), taken };
      }
    }
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', (request: ExportRequest) => {
  const response = run(request);
  const transferred = 'page' in response ? [response.page.lines.buffer as ArrayBuffer] : [];
  parentPort?.postMessage(response, transferred);
});
