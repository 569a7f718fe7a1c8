import { workerData } from 'node:worker_threads';
import { openWriter } from './open.js';

/** WAL pages after which the log is copied into the database (64 MiB at 4 KiB a page). */
const MAX_WAL_BYTES = 16_000 * 4096;
const CHECK_INTERVAL_MS = 500;

const { file } = workerData as { file: string };
const db = openWriter(file, 'full');

/**
 * Copies the write-ahead log into the database when it has grown, outside the event loop that serves requests:
 * PASSIVE never waits for readers or the writer, RESTART-sized logs are truncated when nobody is in the way.
 */
function checkpoint(): void {
  const [state] = db.pragma('wal_checkpoint(noop)') as [{ log: number }?];
  if (state !== undefined && state.log * 4096 >= MAX_WAL_BYTES) db.pragma('wal_checkpoint(passive)');
}

setInterval(checkpoint, CHECK_INTERVAL_MS);
