import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bulkhead } from '../running-server.js';
import type { LoadedSettings } from '../settings.js';
import type { Settings } from '../settings/schema.js';
import { databaseFile } from './database-file.js';

/** A server that does not listen. */
export interface OpenedServer {
  readonly server: Bulkhead;
  /** Resolves when what was changed is seen by a server that runs on the same database. */
  close(): Promise<void>;
}

/** A running server looks for other processes' changes twice a second. */
const SEEN_MS = 600;

/**
 * Opens the database for a command that ends by itself: nothing listens, and only errors are logged unless a
 * level was asked for. Loads the server's code when it is called, since most commands do not need it.
 */
export async function openServer(
  { settings, sources }: LoadedSettings,
  changes: Partial<Settings> = {},
): Promise<OpenedServer> {
  const isShared = isOpenElsewhere(settings);
  const { createBulkhead } = await import('../server.js');
  const logLevel = sources.logLevel === 'default' ? 'error' : settings.logLevel;
  // Whoever may open the database shows no token, and nothing listens.
  const server = await createBulkhead({
    settings: { ...settings, auth: 'off', logLevel, ...changes },
  });
  const close = async (): Promise<void> => {
    await server.stop();
    if (isShared) await pause(SEEN_MS);
  };
  return { server, close };
}

/** Runs `work` on the opened database and closes it, whatever happens. */
export async function withServer<Result>(
  loaded: LoadedSettings,
  work: (server: Bulkhead) => Promise<Result>,
): Promise<Result> {
  const { server, close } = await openServer(loaded);
  try {
    return await work(server);
  } finally {
    await close();
  }
}

/** SQLite removes the write-ahead log when the last connection is closed. */
function isOpenElsewhere(settings: Settings): boolean {
  const file = databaseFile(settings);
  return file !== undefined && existsSync(`${file}-wal`);
}
