/**
 * Retention: beside its partition every Observation gets the date that it was made on, so that the data of a year
 * can be found and dropped in one piece. The tenant comes from the URL as usual.
 *
 *     node build/examples/retention-by-date.js
 */
import { createBulkhead } from 'bulkhead-fhir';
import type { Resource, Settings } from 'bulkhead-fhir';
import { requestTenantPartition, withPartitionDate } from 'bulkhead-fhir/interceptors';
import { runIfMain } from './run-example.js';
import type { RunningExample } from './run-example.js';

/** Starts the server with one tenant. `changes` are other settings, for example a port. */
export async function start(changes: Partial<Settings> = {}): Promise<RunningExample> {
  const dated = withPartitionDate(requestTenantPartition(), ({ resource }) => effectiveDate(resource));
  const server = await createBulkhead({
    settings: { databaseUrl: 'sqlite::memory:', partitioning: ['interceptors'], ...changes },
    interceptors: [dated],
  });
  await server.partitions.create({ name: 'acme' });
  const { url } = await server.start();
  return { url, stop: () => server.stop() };
}

function effectiveDate({ effectiveDateTime }: Resource): string | undefined {
  return typeof effectiveDateTime === 'string' ? effectiveDateTime : undefined;
}

await runIfMain(import.meta.filename, start);
