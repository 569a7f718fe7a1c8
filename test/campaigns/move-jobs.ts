import Database from 'better-sqlite3';
import { Client } from 'pg';
import type { MoveProgress } from '../../src/storage/placement/partition-mover.js';

/** A move as it stands in the database. */
export interface MoveJob {
  readonly state: string;
  readonly progress: MoveProgress | null;
}

const NEWEST = `select JOB_STATE, JOB_RESULT from HFJ_JOB where JOB_KIND = 'partition-move'
  order by JOB_CREATED desc, JOB_ID desc limit 1`;

/** The newest move, read past the server: it may just have been killed. */
export async function newestMove(url: string): Promise<MoveJob | undefined> {
  const [row] = url.startsWith('sqlite:') ? ofFile(url.slice('sqlite:'.length)) : await ofServer(url);
  if (!row) return undefined;
  const [state, result] = row;
  return { state, progress: result === null ? null : (JSON.parse(result) as MoveProgress) };
}

type Row = readonly [state: string, result: string | null];

function ofFile(file: string): readonly Row[] {
  const db = new Database(file, { readonly: true });
  try {
    return db.prepare(NEWEST).raw().all() as Row[];
  } finally {
    db.close();
  }
}

async function ofServer(url: string): Promise<readonly Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<[string, string | null]>({ text: NEWEST, rowMode: 'array' });
    return rows;
  } finally {
    await client.end();
  }
}
