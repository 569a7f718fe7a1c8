/**
 * Multitenancy by header: one base for everybody, and a gateway in front that sets `X-Tenant-ID` after it knows
 * who is asking. Tools may name partitions by id instead, in `X-Request-Partition-IDs`.
 *
 *     node build/examples/multitenancy-by-header.js
 *     curl http://127.0.0.1:8080/fhir/Patient -H 'X-Tenant-ID: acme'
 *     curl http://127.0.0.1:8080/fhir/Patient -H 'X-Request-Partition-IDs: 1,2'
 */
import { createBulkhead } from 'bulkhead-fhir';
import type { Settings } from 'bulkhead-fhir';
import { runIfMain } from './run-example.js';
import type { RunningExample } from './run-example.js';

/** Starts the server with two tenants. `changes` are other settings, for example a port. */
export async function start(changes: Partial<Settings> = {}): Promise<RunningExample> {
  const server = await createBulkhead({
    settings: { databaseUrl: 'sqlite::memory:', partitioning: ['header'], ...changes },
  });
  await server.partitions.create({ id: 1, name: 'acme' });
  await server.partitions.create({ id: 2, name: 'beta' });
  const { url } = await server.start();
  return { url, stop: () => server.stop() };
}

await runIfMain(import.meta.filename, start);
