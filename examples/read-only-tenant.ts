/**
 * A guard: the tenant `archive` can be read and never changed, whoever asks and however the tenant was found.
 *
 *     node build/examples/read-only-tenant.js
 */
import { createBulkhead } from 'bulkhead-fhir';
import type { Interaction, Settings } from 'bulkhead-fhir';
import { partitionGuard } from 'bulkhead-fhir/interceptors';
import { runIfMain } from './run-example.js';
import type { RunningExample } from './run-example.js';

const READS: ReadonlySet<Interaction> = new Set<Interaction>([
  'read',
  'vread',
  'history-instance',
  'history-type',
  'history-system',
  'search-type',
  'search-system',
  'page',
  'capabilities',
]);

/** Starts the server with two tenants. `changes` are other settings, for example a port. */
export async function start(changes: Partial<Settings> = {}): Promise<RunningExample> {
  const readOnly = partitionGuard({
    name: 'read-only-archive',
    allow: ({ partitions, target }) =>
      READS.has(target.interaction) || partitions.every(({ name }) => name !== 'archive'),
  });
  const server = await createBulkhead({
    settings: { databaseUrl: 'sqlite::memory:', partitioning: ['url'], ...changes },
    interceptors: [readOnly],
  });
  await server.partitions.create({ name: 'acme' });
  await server.partitions.create({ name: 'archive' });
  const { url } = await server.start();
  return { url, stop: () => server.stop() };
}

await runIfMain(import.meta.filename, start);
