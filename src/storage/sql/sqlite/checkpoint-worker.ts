import { parentPort } from 'node:worker_threads';
import { CHECK_INTERVAL_MS, COPY_BYTES, logBytes } from './log-size.js';
import { openWriter, type SqliteDatabase } from './open.js';

/** Asks for a file's log to be kept short from now on, or for the last time. */
export type CheckpointRequest =
  | { readonly kind: 'watch'; readonly file: string }
  /** Answered once the log is copied as far as readers allow. */
  | { readonly kind: 'retire'; readonly file: string };

const PAGE_BYTES = 4096;
/** WAL size from which writers are held up for a moment, so that the log can begin anew. */
const RESTART_BYTES = 4 * COPY_BYTES;
/** Longest wait for readers while writers are held up. */
const RESTART_WAIT_MS = 20;

/** What the worker says: that a file was retired, or what kept it from copying a log. */
export type CheckpointReport =
  | { readonly kind: 'retired'; readonly file: string }
  | { readonly kind: 'failed'; readonly file: string; readonly reason: string };

/** What `wal_checkpoint` answers: pages in the log, and how many of them are in the database already. */
interface LogState {
  readonly busy: number;
  readonly log: number;
  readonly checkpointed: number;
}

/** Files whose log has never been long have no connection here. */
const watched = new Map<string, SqliteDatabase | undefined>();

function run(db: SqliteDatabase, mode: 'noop' | 'passive' | 'restart'): LogState {
  const [state] = db.pragma(`wal_checkpoint(${mode})`) as [LogState];
  return state;
}

/**
 * Copies the write-ahead log into the database outside the event loop that serves requests. `passive` waits for
 * nobody; but while writes never pause the log can't begin anew by itself, so that a very long one is restarted
 * right after it was copied, when little is left to do under the lock.
 */
function checkpoint(db: SqliteDatabase): void {
  if (run(db, 'noop').log * PAGE_BYTES < COPY_BYTES) return;
  const { log } = run(db, 'passive');
  if (log * PAGE_BYTES >= RESTART_BYTES) run(db, 'restart');
}

function connect(file: string): SqliteDatabase {
  const db = watched.get(file) ?? openWriter(file, 'home');
  db.pragma(`busy_timeout = ${RESTART_WAIT_MS}`);
  return db;
}

function report(message: CheckpointReport): void {
  parentPort?.postMessage(message);
}

/** What fails, for lack of room for example, is tried again the next time. */
function tryTo(work: () => void, file: string): void {
  try {
    work();
  } catch (error) {
    report({ kind: 'failed', file, reason: (error as Error).message });
  }
}

function check(file: string): void {
  if (logBytes(file) < COPY_BYTES) return;
  const db = connect(file);
  watched.set(file, db);
  checkpoint(db);
}

function checkAll(): void {
  for (const file of watched.keys()) tryTo(() => check(file), file);
}

function retire(file: string): void {
  if (logBytes(file) > 0) {
    const db = connect(file);
    run(db, 'passive');
    db.close();
  } else watched.get(file)?.close();
  watched.delete(file);
}

parentPort?.on('message', (request: CheckpointRequest) => {
  if (request.kind === 'watch') {
    watched.set(request.file, watched.get(request.file));
    return;
  }
  tryTo(() => retire(request.file), request.file);
  report({ kind: 'retired', file: request.file });
});
setInterval(checkAll, CHECK_INTERVAL_MS);
