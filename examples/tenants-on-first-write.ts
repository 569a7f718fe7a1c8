/**
 * Tenants that come to be by their first write: no registration, but only names that the operator foresees. The
 * setting `autoCreatePartitions` does the same for every valid name.
 *
 *     node build/examples/tenants-on-first-write.js
 *     curl -X POST http://127.0.0.1:8080/fhir/clinic-7/Patient -H 'Content-Type: application/fhir+json' \
 *       -d '{ "resourceType": "Patient" }'
 */
import { createBulkhead } from 'bulkhead-fhir';
import type { Bulkhead, Settings } from 'bulkhead-fhir';
import { autoCreatePartition, requestTenantPartition } from 'bulkhead-fhir/interceptors';
import { runIfMain } from './run-example.js';
import type { RunningExample } from './run-example.js';

/** Starts the server without any tenant. `changes` are other settings, for example a port. */
export async function start(changes: Partial<Settings> = {}): Promise<RunningExample> {
  const server: Bulkhead = await createBulkhead({
    settings: { databaseUrl: 'sqlite::memory:', partitioning: ['interceptors'], ...changes },
    interceptors: [
      autoCreatePartition(requestTenantPartition(), {
        partitions: () => server.partitions,
        allow: (name) => /^clinic-\d{1,4}$/.test(name),
      }),
    ],
  });
  const { url } = await server.start();
  return { url, stop: () => server.stop() };
}

await runIfMain(import.meta.filename, start);
