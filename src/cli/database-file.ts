import { resolve } from 'node:path';
import type { Settings } from '../settings/schema.js';

/** Whether the database is PostgreSQL; otherwise it is SQLite. */
export function isPostgresUrl(url: string): boolean {
  return /^postgres(ql)?:/.test(url);
}

/** The file that the database is in; undefined where it is in memory, or PostgreSQL. */
export function databaseFile({ databaseUrl }: Settings): string | undefined {
  if (isPostgresUrl(databaseUrl)) return undefined;
  const path = databaseUrl.replace(/^sqlite:(\/\/)?/, '');
  return path === ':memory:' ? undefined : resolve(path);
}
