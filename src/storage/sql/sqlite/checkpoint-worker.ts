import { workerData } from 'node:worker_threads';
import { openWriter } from './open.js';

const PAGE_BYTES = 4096;
/** WAL size from which the log is copied into the database. */
const COPY_BYTES = 64 * 2 ** 20;
/** WAL size from which writers are held up for a moment, so that the log can begin anew. */
const RESTART_BYTES = 4 * COPY_BYTES;
const CHECK_INTERVAL_MS = 500;
/** Longest wait for readers while writers are held up. */
const RESTART_WAIT_MS = 20;

/** What `wal_checkpoint` answers: pages in the log, and how many of them are in the database already. */
interface LogState {
  readonly busy: number;
  readonly log: number;
  readonly checkpointed: number;
}

const { file } = workerData as { file: string };
const db = openWriter(file, 'full');
db.pragma(`busy_timeout = ${RESTART_WAIT_MS}`);

function run(mode: 'noop' | 'passive' | 'restart'): LogState {
  const [state] = db.pragma(`wal_checkpoint(${mode})`) as [LogState];
  return state;
}

/**
 * Copies the write-ahead log into the database outside the event loop that serves requests. `passive` waits for
 * nobody; but while writes never pause the log can't begin anew by itself, so that a very long one is restarted
 * right after it was copied, when little is left to do under the lock.
 */
function checkpoint(): void {
  if (run('noop').log * PAGE_BYTES < COPY_BYTES) return;
  const { log } = run('passive');
  if (log * PAGE_BYTES >= RESTART_BYTES) run('restart');
}

setInterval(checkpoint, CHECK_INTERVAL_MS);
