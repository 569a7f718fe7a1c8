import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { PostgresServer } from '../test/support/postgres-server.js';
import { temporaryFolder } from './child.js';

/** A database for one measurement. */
export interface BenchDatabase {
  readonly url: string;
  remove(): Promise<void>;
}

/** Where the programs under test keep what they store. */
export interface BenchStore {
  readonly name: 'SQLite' | 'PostgreSQL';
  /** An empty one. */
  createDatabase(): Promise<BenchDatabase>;
  /** What autovacuum does to a database within a few minutes, where there is such a thing. */
  settle(url: string): Promise<void>;
  /** The URL of one of them for the floor, whom no policy concerns. */
  floorUrl(url: string): string;
  stop(): void;
}

/** @throws Error for another word than `sqlite` and `postgres`. */
export async function openBenchStore(word: string): Promise<BenchStore> {
  if (word === 'sqlite')
    return {
      name: 'SQLite',
      createDatabase: createFile,
      settle: async () => undefined,
      floorUrl: (url) => url,
      stop: () => undefined,
    };
  if (word !== 'postgres') throw new Error('--store is sqlite or postgres.');
  const server = await PostgresServer.create('durable');
  const asSuperuser = (url: string): string =>
    Object.assign(new URL(server.superuserUrl), { pathname: new URL(url).pathname }).href;
  return {
    name: 'PostgreSQL',
    createDatabase: () => createOn(server),
    settle: (url) => execute(asSuperuser(url), 'vacuum analyze'),
    floorUrl: asSuperuser,
    stop: () => server.stop(),
  };
}

async function createFile(): Promise<BenchDatabase> {
  const folder = temporaryFolder();
  return { url: `sqlite:${folder.path}/bench.db`, remove: async () => folder.remove() };
}

/** Removed by a superuser: connections of the floor, which is one, may not be gone yet. */
async function createOn(server: PostgresServer): Promise<BenchDatabase> {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  await execute(server.url, `create database ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    remove: () => execute(server.superuserUrl, `drop database ${name} with (force)`),
  };
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
