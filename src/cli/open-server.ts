import type { Bulkhead } from '../server.js';
import type { LoadedSettings } from '../settings.js';
import type { Settings } from '../settings/schema.js';

/**
 * Opens the database for a command that ends by itself: nothing listens, and only errors are logged unless a
 * level was asked for. Loads the server's code when it is called, since most commands do not need it.
 */
export async function openServer(
  { settings, sources }: LoadedSettings,
  changes: Partial<Settings> = {},
): Promise<Bulkhead> {
  const { createBulkhead } = await import('../server.js');
  const logLevel = sources.logLevel === 'default' ? 'error' : settings.logLevel;
  return createBulkhead({ settings: { ...settings, logLevel, ...changes } });
}

/** Runs `work` on the opened database and closes it, whatever happens. */
export async function withServer<Result>(
  loaded: LoadedSettings,
  work: (server: Bulkhead) => Promise<Result>,
): Promise<Result> {
  const server = await openServer(loaded);
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}
