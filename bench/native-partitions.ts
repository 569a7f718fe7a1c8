/**
 * `node build/bench/native-partitions.js`: what native partitions of PostgreSQL cost a read of one partition. The same
 * rows stand in a database without them, in one with 10 and in one with 50; the three are asked in turns, so that
 * whatever else the machine does concerns them alike. Prints a Markdown table of medians in microseconds, and of the
 * first execution on a new connection in milliseconds.
 */
import pg from 'pg';
import type { PartitionId } from '../src/model/partition.js';
import { PostgresConnections } from '../src/storage/sql/postgres/connections.js';
import { NativePartitions } from '../src/storage/sql/postgres/native-partitions.js';
import { PostgresPool } from '../src/storage/sql/postgres/postgres-pool.js';
import { PostgresReader } from '../src/storage/sql/postgres/postgres-reader.js';
import { migratePostgres } from '../src/storage/sql/postgres/schema-state.js';
import type { SqlStatement } from '../src/storage/sql/sql-reader.js';
import { STATEMENTS } from '../test/storage/postgres/one-partition-statements.js';
import { fillPartitions } from '../test/storage/search/postgres/skewed-data.js';
import { openBenchStore } from './bench-store.js';
import { median } from './median.js';

const PARTITIONS = 50;
const OBSERVATIONS = 1_200;
/** Has a native partition in each database that has any. */
const ASKED = 7;
const WARM_UP = 50;
const ROUNDS = 400;
const FIRST_ROUNDS = 5;

type Name = keyof typeof STATEMENTS;
const NAMES: readonly Name[] = [
  'a read by id',
  'a token',
  'a token and a date',
  'a reference',
  'a chain',
  'an include',
];

interface Subject {
  readonly natives: number;
  readonly url: string;
  readonly pool: PostgresPool;
  readonly reader: PostgresReader;
}

function connect(url: string, natives: number): Pick<Subject, 'pool' | 'reader'> {
  const pool = new PostgresPool({ url, poolSize: 1, connectTimeoutMs: 10_000 });
  const connections = new PostgresConnections(pool, null, natives > 0 ? 'each time' : 'once');
  return { pool, reader: new PostgresReader(connections, 60_000) };
}

async function prepare(url: string, natives: number): Promise<Subject> {
  await migratePostgres(url, { native: natives > 0 });
  const subject = { natives, url, ...connect(url, natives) };
  const connections = new PostgresConnections(subject.pool);
  const made = new NativePartitions(connections, { most: natives, warn: () => undefined });
  for (let id = 1; id <= natives; id++) {
    const partition = id as PartitionId;
    await connections.transaction([partition], (transaction) => made.make(transaction, partition));
  }
  const owner = new pg.Client({ connectionString: url });
  await owner.connect();
  const ids = Array.from({ length: PARTITIONS }, (_, index) => index + 1);
  await fillPartitions(owner, new Map(ids.map((id) => [id, OBSERVATIONS])));
  await owner.query('vacuum analyze');
  await owner.end();
  return subject;
}

async function microseconds(reader: PostgresReader, statement: SqlStatement): Promise<number> {
  const begin = performance.now();
  await reader.all(statement);
  return (performance.now() - begin) * 1000;
}

/** Medians of one statement, by subject. */
async function measure(subjects: readonly Subject[], name: Name): Promise<readonly number[]> {
  const statement = STATEMENTS[name](ASKED);
  const times = subjects.map((): number[] => []);
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const [index, { reader }] of subjects.entries()) {
      const time = await microseconds(reader, statement);
      if (round >= WARM_UP) times[index]?.push(time);
    }
  }
  return times.map(median);
}

async function measureFirst(subjects: readonly Subject[], name: Name): Promise<readonly number[]> {
  const times = subjects.map((): number[] => []);
  for (let round = 0; round < FIRST_ROUNDS; round++) {
    for (const [index, { url, natives }] of subjects.entries()) {
      const { pool, reader } = connect(url, natives);
      times[index]?.push(await microseconds(reader, STATEMENTS[name](ASKED)));
      await pool.close();
    }
  }
  return times.map(median);
}

const store = await openBenchStore('postgres');
try {
  const subjects: Subject[] = [];
  for (const natives of [0, 10, 50])
    subjects.push(await prepare((await store.createDatabase()).url, natives));
  const head = subjects.map(({ natives }) => natives);
  const columns = [...head.map((n) => `${n}: median µs`), ...head.map((n) => `${n}: first ms`)];
  console.log(`| | ${columns.join(' | ')} |\n|---|${columns.map(() => '---:').join('|')}|`);
  for (const name of NAMES) {
    const usual = (await measure(subjects, name)).map((time) => time.toFixed(0));
    const first = (await measureFirst(subjects, name)).map((time) => (time / 1000).toFixed(1));
    console.log(`| ${name} | ${[...usual, ...first].join(' | ')} |`);
  }
  for (const { pool } of subjects) await pool.close();
} finally {
  store.stop();
}
