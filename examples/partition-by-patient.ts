/**
 * Patients spread over sixteen partitions by a hash of their ids: everything of one patient is in one partition,
 * and a search that names the patient looks only there. Practitioners and the like are in DEFAULT.
 *
 *     node build/examples/partition-by-patient.js
 *     curl -X PUT http://127.0.0.1:8080/fhir/Patient/ann -H 'Content-Type: application/fhir+json' \
 *       -d '{ "resourceType": "Patient", "id": "ann" }'
 *     curl 'http://127.0.0.1:8080/fhir/Observation?patient=ann'
 */
import { createBulkhead } from 'bulkhead-fhir';
import type { Settings } from 'bulkhead-fhir';
import { patientCompartmentPartition } from 'bulkhead-fhir/interceptors';
import { runIfMain } from './run-example.js';
import type { RunningExample } from './run-example.js';

/** Starts the server. `changes` are other settings, for example a port. */
export async function start(changes: Partial<Settings> = {}): Promise<RunningExample> {
  const server = await createBulkhead({
    settings: {
      databaseUrl: 'sqlite::memory:',
      partitioning: ['interceptors'],
      unnamedPartitions: true,
      references: 'default',
      ...changes,
    },
    interceptors: [patientCompartmentPartition({ partitions: 16 })],
  });
  const { url } = await server.start();
  return { url, stop: () => server.stop() };
}

await runIfMain(import.meta.filename, start);
