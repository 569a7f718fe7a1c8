import Database from 'better-sqlite3';
import { Client } from 'pg';

/** An export's job as it stands in the database. */
export interface StoredExport {
  readonly id: string;
  readonly partition: number;
  readonly state: string;
  readonly token: number;
  readonly worker: string | null;
  /** Claims since it last came further. */
  readonly attempts: number;
  /** Resources that are in files that are saved, and how many there will be about; undefined until it is frozen. */
  readonly progress: { readonly done: number; readonly total: number } | undefined;
}

const JOBS = `select JOB_ID, PARTITION_ID, JOB_STATE, JOB_TOKEN, JOB_WORKER, JOB_ATTEMPTS,
  JOB_PROGRESS from HFJ_BLK_EXPORT_JOB
  order by JOB_ID`;
const FILES = `select JOB_ID, FILE_KIND, RES_TYPE, FILE_PART, FILE_KEY, FILE_BYTES, FILE_LINES
  from HFJ_BLK_EXPORT_COLFILE order by FILE_KEY`;
/** Ids of more partitions than a campaign makes. */
const PARTITIONS = Array.from({ length: 64 }, (_, id) => id).join();

/** All jobs, read past the servers: they may just have been killed. */
export async function exportJobs(url: string): Promise<readonly StoredExport[]> {
  return (await rowsOf(url, JOBS)).map(([id, partition, state, token, worker, attempts, progress]) => ({
    id: String(id),
    partition: Number(partition),
    state: String(state),
    token: Number(token),
    worker: worker as string | null,
    attempts: Number(attempts),
    progress: progress === null ? undefined : (JSON.parse(String(progress)) as StoredExport['progress']),
  }));
}

/** Keys of the files of a job that are saved. */
export async function savedKeys(url: string, id: string): Promise<readonly string[]> {
  return (await rowsOf(url, FILES)).filter(([job]) => job === id).map(([, , , , key]) => String(key));
}

/** Everything that the database says of exports, as text. */
export async function exportRows(url: string): Promise<string> {
  return JSON.stringify([await rowsOf(url, JOBS), await rowsOf(url, FILES)]);
}

type Row = readonly unknown[];

async function rowsOf(url: string, sql: string): Promise<readonly Row[]> {
  return url.startsWith('sqlite:') ? ofFile(url.slice('sqlite:'.length), sql) : ofServer(url, sql);
}

function ofFile(file: string, sql: string): readonly Row[] {
  const db = new Database(file, { readonly: true });
  try {
    return db.prepare(sql).raw().all() as Row[];
  } finally {
    db.close();
  }
}

/** As the servers see all partitions. */
async function ofServer(connectionString: string, sql: string): Promise<readonly Row[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    await client.query('begin; set local role bulkhead_app_many');
    await client.query(`select set_config('bulkhead.partitions', '${PARTITIONS}', true)`);
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return rows;
  } finally {
    await client.end();
  }
}
