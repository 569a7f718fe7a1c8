import { resolve } from 'node:path';
import type { Settings } from '../settings/schema.js';

/** The file that the database is in; undefined where it is in memory. */
export function databaseFile({ databaseUrl }: Settings): string | undefined {
  const path = databaseUrl.replace(/^sqlite:(\/\/)?/, '');
  return path === ':memory:' ? undefined : resolve(path);
}
