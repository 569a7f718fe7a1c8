/**
 * The least that can write all resources of a partition to a file, one in each line: `node floor.js DATABASE FILE`.
 * Prints the milliseconds it took. SQLite: one walk of the table, texts as bytes, gathered writes. PostgreSQL: a cursor.
 */
import { closeSync, fsyncSync, openSync, writevSync } from 'node:fs';
import { open } from 'node:fs/promises';
import Database from 'better-sqlite3';
import pg from 'pg';

const LINE_FEED = Buffer.from('\n');
/** Buffers of one gathered write. */
const MOST_BUFFERS = 1_000;
const CURSOR_ROWS = 500;

function fromSqlite(path: string, file: string): void {
  const db = new Database(path, { readonly: true });
  const rows = db
    .prepare(
      `select cast(RES_TEXT as blob) from HFJ_RESOURCE
        where PARTITION_ID <> 0 and RES_DELETED_AT is null order by RES_ID`,
    )
    .pluck()
    .iterate() as IterableIterator<Buffer>;
  const output = openSync(file, 'w');
  let buffers: Buffer[] = [];
  for (const text of rows) {
    buffers.push(text, LINE_FEED);
    if (buffers.length < MOST_BUFFERS) continue;
    writevSync(output, buffers);
    buffers = [];
  }
  if (buffers.length > 0) writevSync(output, buffers);
  fsyncSync(output);
  closeSync(output);
  db.close();
}

async function fromPostgres(url: string, file: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const output = await open(file, 'w');
  await client.query('begin');
  // Whoever owns the tables has no rows of them without a scope.
  await client.query(`set local role bulkhead_app`);
  await client.query(`set local bulkhead.partition = '1'`);
  await client.query(`declare c no scroll cursor for
    select RES_TEXT from HFJ_RESOURCE where PARTITION_ID = 1 and RES_DELETED_AT is null`);
  for (;;) {
    const { rows } = await client.query<[string]>({ text: `fetch ${CURSOR_ROWS} from c`, rowMode: 'array' });
    if (rows.length === 0) break;
    await output.write(`${rows.map(([text]) => text).join('\n')}\n`);
  }
  await output.sync();
  await output.close();
  await client.query('commit');
  await client.end();
}

const [, , database = '', file = ''] = process.argv;
const begin = performance.now();
if (database.startsWith('sqlite:')) fromSqlite(database.slice('sqlite:'.length), file);
else await fromPostgres(database, file);
process.stdout.write(`${performance.now() - begin}\n`);
