import Database from 'better-sqlite3';
import { Client } from 'pg';
import type { ReindexProgress } from '../../src/partition/reindex-walk.js';
import type { MoveProgress } from '../../src/storage/placement/partition-mover.js';

/** A job as it stands in the database. */
export interface NewestJob<Progress> {
  readonly state: string;
  readonly progress: Progress | null;
}

/** The newest move, read past the server: it may just have been killed. */
export function newestMove(url: string): Promise<NewestJob<MoveProgress> | undefined> {
  return newestJob<MoveProgress>(url, 'partition-move');
}

/** The newest reindex, as `newestMove`. */
export function newestReindex(url: string): Promise<NewestJob<ReindexProgress> | undefined> {
  return newestJob<ReindexProgress>(url, 'reindex');
}

async function newestJob<Progress>(url: string, kind: string): Promise<NewestJob<Progress> | undefined> {
  const sql = `select JOB_STATE, JOB_RESULT from HFJ_JOB where JOB_KIND = '${kind}'
    order by JOB_CREATED desc, JOB_ID desc limit 1`;
  const rows = url.startsWith('sqlite:')
    ? ofFile(url.slice('sqlite:'.length), sql)
    : await ofServer(url, sql);
  const [row] = rows;
  if (!row) return undefined;
  const [state, result] = row;
  return { state, progress: result === null ? null : (JSON.parse(result) as Progress) };
}

type Row = readonly [state: string, result: string | null];

function ofFile(file: string, sql: string): readonly Row[] {
  const db = new Database(file, { readonly: true });
  try {
    return db.prepare(sql).raw().all() as Row[];
  } finally {
    db.close();
  }
}

async function ofServer(url: string, sql: string): Promise<readonly Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<[string, string | null]>({ text: sql, rowMode: 'array' });
    return rows;
  } finally {
    await client.end();
  }
}
