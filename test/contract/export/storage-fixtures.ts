import type { ExecutionContext } from 'ava';
import type { PartitionId, PartitionScope } from '../../../src/model/partition.js';
import { toStorageOptions } from '../../../src/storage-options.js';
import type { HomeExports, PageEntry, VersionKey, VersionWalk } from '../../../src/storage/export-store.js';
import { openStorage } from '../../../src/storage/open-storage.js';
import type { Storage } from '../../../src/storage/storage.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { createTestServer, type TestServer, type TestServerOptions } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';

/** A server, and its storage opened a second time, as another server would have it. */
export interface ExportWorld {
  readonly database: TestDatabase;
  readonly server: TestServer;
  readonly storage: Storage;
  readonly root: FhirClient;
  readonly acme: FhirClient;
  readonly beta: FhirClient;
  readonly ids: { readonly acme: PartitionId; readonly beta: PartitionId };
}

export async function openExportWorld(
  t: ExecutionContext,
  options: TestServerOptions = {},
): Promise<ExportWorld> {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  // Jobs are claimed by tests alone.
  const settings = { ...options.settings, exportWorkers: 0 };
  const server = await createTestServer({ ...options, settings, database, partitions: ['acme', 'beta'] });
  t.teardown(() => server.stop());
  const storage = await openStorage(toStorageOptions(server.bulkhead.settings, Date.now));
  t.teardown(() => storage.close());
  const root = new FhirClient(server.url);
  const idOf = (name: string): PartitionId => server.bulkhead.partitions.read({ name }).id;
  return {
    database,
    server,
    storage,
    root,
    acme: root.tenant('acme'),
    beta: root.tenant('beta'),
    ids: { acme: idOf('acme'), beta: idOf('beta') },
  };
}

/** Everything that a walk gives, page after page. */
export interface Walked {
  readonly lines: readonly string[];
  readonly entries: readonly PageEntry[];
  readonly deleted: readonly PageEntry[];
  readonly unreadable: readonly PageEntry[];
  readonly pages: number;
}

type Walking = Pick<VersionWalk, 'type' | 'until'> & Partial<VersionWalk>;

/** Walks in pages as small as they get, unless `walk` says otherwise. */
export async function walkAll(
  exports: HomeExports,
  partition: PartitionId,
  walk: Walking,
  detail: 'lines' | 'entries' | 'deletions' = 'entries',
): Promise<Walked> {
  const lines: string[] = [];
  const entries: PageEntry[] = [];
  const deleted: PageEntry[] = [];
  const unreadable: PageEntry[] = [];
  let pages = 0;
  let after: VersionKey | null = null;
  do {
    const page = await exports.walk(partition, { since: 0, bytes: 1, ...walk, after }, detail);
    lines.push(...Buffer.from(page.lines).toString().split('\n').slice(0, -1));
    entries.push(...page.entries);
    deleted.push(...page.deleted);
    unreadable.push(...page.unreadable);
    after = page.next;
    pages++;
  } while (after !== null);
  return { lines, entries, deleted, unreadable, pages };
}

/** `id/version` of entries, in their order. */
export function versionsOf(entries: readonly PageEntry[]): readonly string[] {
  return entries.map(({ id, version }) => `${id}/${version}`);
}

/** A scope as the resolver makes it. */
export function scopeOf(...partitions: PartitionId[]): PartitionScope {
  return { partitions, all: false } as unknown as PartitionScope;
}
