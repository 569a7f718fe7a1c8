import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Settings } from '../../settings/schema.js';
import { openToEverybody } from '../../storage/sql/sqlite/file-access.js';
import { openReader, type SqliteDatabase } from '../../storage/sql/sqlite/open.js';
import { databaseFile } from '../database-file.js';
import type { Check } from './check.js';
import { partitionsCheck } from './partitions-check.js';
import { schemaCheck } from './schema-check.js';

const MIB = 2 ** 20;
const LITTLE_SPACE = 1024 * MIB;
const NO_SPACE = 64 * MIB;

/** Looks at the database's file and into it, without changing anything. */
export async function checkSqlite(settings: Settings): Promise<readonly Check[]> {
  const file = databaseFile(settings);
  if (file === undefined) {
    const advice =
      'Nothing is kept when the server stops; for data that stays name a file: sqlite:data/bulkhead.db';
    return [{ name: 'database', state: 'warn', found: 'in memory', advice }];
  }
  const place = [checkWritable(file), await checkSpace(file)];
  if (existsSync(file)) return [...place, checkAccess(file), ...checkContent(file)];
  return [
    ...place,
    { name: 'database', state: 'ok', found: `${file} does not exist yet; the first start makes it` },
  ];
}

function checkWritable(file: string): Check {
  const place = existsSync(file) ? file : existingFolder(file);
  try {
    accessSync(existingFolder(file), constants.W_OK);
    accessSync(place, constants.W_OK);
    return { name: 'writable', state: 'ok', found: place };
  } catch {
    const advice = 'Give the user of the server the right to write the file and its folder.';
    return { name: 'writable', state: 'fail', found: `${place} cannot be written`, advice };
  }
}

/** Files of earlier versions, and copies that were restored, may be readable by everybody; the server leaves modes alone. */
function checkAccess(file: string): Check {
  const open = openToEverybody(file);
  if (open.length === 0) return { name: 'access', state: 'ok', found: 'not for everybody on this machine' };
  const found = `every user of this machine can read or write ${open.join(', ')}`;
  return { name: 'access', state: 'warn', found, advice: `chmod o= ${open.join(' ')}` };
}

async function checkSpace(file: string): Promise<Check> {
  const { bavail, bsize } = await statfs(existingFolder(file));
  const free = bavail * bsize;
  const found = `${Math.floor(free / MIB)} MiB free`;
  if (free >= LITTLE_SPACE) return { name: 'disk', state: 'ok', found };
  return {
    name: 'disk',
    state: free < NO_SPACE ? 'fail' : 'warn',
    found,
    advice: 'Make room on the disk of the database.',
  };
}

function existingFolder(file: string): string {
  let folder = dirname(file);
  while (!existsSync(folder)) folder = dirname(folder);
  return folder;
}

function checkContent(file: string): readonly Check[] {
  let db: SqliteDatabase | undefined;
  try {
    db = openReader(file);
    return [checkIntegrity(db, file), checkJournal(db), checkTime(file), ...checkSchema(db)];
  } catch (error) {
    const advice = 'Is it a database of Bulkhead? Restore it from a backup, or name another file.';
    return [{ name: 'database', state: 'fail', found: `${file}: ${(error as Error).message}`, advice }];
  } finally {
    db?.close();
  }
}

function checkIntegrity(db: SqliteDatabase, file: string): Check {
  const problems = db.prepare('pragma quick_check(3)').pluck().all() as readonly string[];
  if (problems[0] === 'ok') return { name: 'database', state: 'ok', found: `${file} is whole` };
  return { name: 'database', state: 'fail', found: problems.join('; '), advice: 'Restore it from a backup.' };
}

function checkJournal(db: SqliteDatabase): Check {
  const mode = String(db.pragma('journal_mode', { simple: true }));
  if (mode === 'wal') return { name: 'journal', state: 'ok', found: 'WAL' };
  return { name: 'journal', state: 'warn', found: mode, advice: 'The next start switches it to WAL.' };
}

/** A clock that went back makes new versions look older than they are. */
function checkTime(file: string): Check {
  const changed = statSync(file).mtime;
  if (changed.getTime() <= Date.now())
    return { name: 'last change', state: 'ok', found: changed.toISOString() };
  const advice = 'The clock has gone back; set it right before the server writes.';
  return { name: 'last change', state: 'warn', found: `${changed.toISOString()} is in the future`, advice };
}

function checkSchema(db: SqliteDatabase): readonly Check[] {
  const isMigrated =
    db.prepare(`select 1 from sqlite_master where name = 'HFJ_MIGRATION'`).get() !== undefined;
  const applied = isMigrated
    ? (db.prepare('select name from HFJ_MIGRATION').pluck().all() as readonly string[])
    : [];
  const schema = schemaCheck(applied);
  return schema.state === 'ok' ? [schema, checkPartitions(db)] : [schema];
}

function checkPartitions(db: SqliteDatabase): Check {
  const rows = db
    .prepare(
      `select PART_STATE, count(*) from HFJ_PARTITION where PART_STATE <> 'deleted' group by PART_STATE`,
    )
    .raw()
    .all();
  return partitionsCheck(new Map(rows as readonly (readonly [string, number])[]));
}
