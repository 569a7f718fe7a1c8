/**
 * Multitenancy by URL: every tenant has a base of its own, and nobody sees another tenant's data. This is the
 * server's default; no interceptor has to be named.
 *
 *     node build/examples/multitenancy-by-url.js
 *     curl -X POST http://127.0.0.1:8080/fhir/acme/Patient -H 'Content-Type: application/fhir+json' \
 *       -d '{ "resourceType": "Patient", "name": [{ "family": "Okafor" }] }'
 *     curl http://127.0.0.1:8080/fhir/acme/Patient     # finds it
 *     curl http://127.0.0.1:8080/fhir/beta/Patient     # finds nothing
 */
import { createBulkhead } from 'bulkhead-fhir';
import type { Settings } from 'bulkhead-fhir';
import { runIfMain } from './run-example.js';
import type { RunningExample } from './run-example.js';

/** Starts the server with two tenants. `changes` are other settings, for example a port. */
export async function start(changes: Partial<Settings> = {}): Promise<RunningExample> {
  const server = await createBulkhead({
    settings: { databaseUrl: 'sqlite::memory:', partitioning: ['url'], ...changes },
  });
  await server.partitions.create({ name: 'acme' });
  await server.partitions.create({ name: 'beta' });
  const { url } = await server.start();
  return { url, stop: () => server.stop() };
}

await runIfMain(import.meta.filename, start);
