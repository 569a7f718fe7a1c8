import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../../src/settings/schema.js';
import { createTestServer, type TestServer } from '../../src/testing.js';
import { seededRandom } from '../campaigns/random.js';
import { PostgresDatabases } from '../support/postgres-databases.js';
import { PostgresServer } from '../support/postgres-server.js';
import { anyContent, contentOf } from './content.js';
import { postgresRows, sqliteRows, type StoredRow } from '../support/stored-rows.js';
import { POSTGRES_VARIABLE, type StoreKind } from '../support/test-store.js';

/** Databases for the servers of a proof: many, short-lived, and all beginning with the same content. */
export interface ProofStore {
  readonly kind: StoreKind;
  /** All files of all databases and exports are below it. */
  readonly folder: string;
  /** PostgreSQL's port, 0 for SQLite. */
  readonly port: number;
  create(): Promise<ProofDatabase>;
  close(): Promise<void>;
}

export interface ProofDatabase {
  readonly settings: Partial<Settings>;
  /** Holds the database, where it is a file, and what was exported. */
  readonly folder: string;
  /** What a statement finds, in the main database and in the homes of single partitions. */
  rows(sql: string): Promise<readonly StoredRow[]>;
  drop(): Promise<void>;
}

/** What DEFAULT holds for everybody before anybody comes. */
const DEFINITIONS = [
  {
    resourceType: 'ValueSet',
    id: 'pressure',
    url: 'http://example.org/vs/pressure',
    status: 'active',
    compose: { include: [{ system: 'urn:code', concept: [{ code: '8480-6' }, { code: 'weight' }] }] },
  },
  {
    resourceType: 'CodeSystem',
    id: 'diseases',
    url: 'http://example.org/diseases',
    status: 'active',
    content: 'complete',
    hierarchyMeaning: 'is-a',
    concept: [{ code: 'heart', display: 'Heart', concept: [{ code: 'infarct' }] }],
  },
  { resourceType: 'Questionnaire', id: 'q', url: 'http://example.org/q', status: 'active' },
] as const;

/** What DEFAULT begins with: definitions alone, or also resources of all types that programs make. */
export type DefaultContent = 'definitions' | 'everything';

export async function openProofStore(
  kind: StoreKind,
  content: DefaultContent = 'everything',
): Promise<ProofStore> {
  // Nothing has to survive anything but the process: a file system in memory saves the disk.
  const root = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'bulkhead-proof-'));
  process.once('exit', () => rmSync(root, { recursive: true, force: true }));
  return kind === 'sqlite' ? openSqlite(root, content) : openPostgres(root, content);
}

async function openSqlite(root: string, content: DefaultContent): Promise<ProofStore> {
  const template = join(root, 'template.db');
  await fillTemplate({ databaseUrl: `sqlite:${template}` }, content);
  return {
    kind: 'sqlite',
    folder: root,
    port: 0,
    create: async () => {
      const folder = await mkdtemp(join(root, 'server-'));
      const file = join(folder, 'proof.db');
      await copyFile(template, file);
      const settings = { databaseUrl: `sqlite:${file}`, exportDir: join(folder, 'exports') };
      const rows = async (sql: string): Promise<readonly StoredRow[]> => sqliteRows(file, sql);
      return { settings, folder, rows, drop: () => rm(folder, { recursive: true, force: true }) };
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
}

async function openPostgres(root: string, content: DefaultContent): Promise<ProofStore> {
  const given = process.env[POSTGRES_VARIABLE];
  const server = given === undefined ? await PostgresServer.create('fast') : undefined;
  const url = given ?? server!.url;
  const databases = PostgresDatabases.ofNewRun(url);
  const template = await databases.createTemplate();
  await fillTemplate({ databaseUrl: template }, content);
  return {
    kind: 'postgres',
    folder: root,
    port: Number(new URL(url).port),
    create: async () => {
      const name = await databases.create();
      const folder = await mkdtemp(join(root, 'server-'));
      return {
        settings: { databaseUrl: databases.serverUrlOf(name), exportDir: join(folder, 'exports') },
        folder,
        rows: async (sql) =>
          postgresRows(
            (await databases.family(name)).map((one) => databases.urlOf(one)),
            sql,
          ),
        drop: async () => {
          await databases.drop(name);
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
    close: async () => {
      await databases.dropRun();
      server?.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** DEFAULT's canary: no tenant may be told of what stands there and is not for everybody. */
const DEFAULT_CANARY = 'qzx90123456789z';
const DEFAULT_RESOURCES = 200;

/** Resources of all types that programs make. */
async function fillDefault(server: TestServer): Promise<void> {
  const random = seededRandom(1);
  const targets = ['Patient', 'Observation', 'Location'].flatMap((type) =>
    ['a', 'b', 'c', 'A', 'a-1', '<canary>'].map((id) => ({
      resource: { ...contentOf(random, type), id },
      request: { method: 'PUT', url: `${type}/${id}` },
    })),
  );
  const others = Array.from({ length: DEFAULT_RESOURCES }, () => {
    const resource = anyContent(random);
    return { resource, request: { method: 'POST', url: resource.resourceType } };
  });
  const entry = [...targets, ...others];
  const packed = Buffer.from(DEFAULT_CANARY).toString('base64');
  const body = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry })
    .replaceAll('<canary>', DEFAULT_CANARY)
    .replaceAll('<base64:canary>', packed);
  const headers = { 'content-type': 'application/fhir+json' };
  const response = await server.fetch('DEFAULT', { method: 'POST', headers, body });
  if (response.status !== 200) throw new Error(await response.text());
}

/** The first question about search parameters makes them rows, which takes as long as hundreds of steps. */
async function fillTemplate(settings: Partial<Settings>, content: DefaultContent): Promise<void> {
  const server = await createTestServer({ settings: { ...settings, fullText: 'on' } });
  try {
    for (const definition of DEFINITIONS) {
      const { status } = await server.fetch(`DEFAULT/${definition.resourceType}/${definition.id}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/fhir+json' },
        body: JSON.stringify(definition),
      });
      if (status !== 201) throw new Error(`${definition.resourceType} was answered ${status}.`);
    }
    await server.fetch('SearchParameter/Patient-name');
    if (content === 'everything') await fillDefault(server);
  } finally {
    await server.stop();
  }
}
