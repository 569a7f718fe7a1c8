/**
 * Logical segments: one organization keeps what comes from its laboratory and its survey app apart from the
 * records, by `meta.source`, and reads everything together. A laboratory result may refer to a Patient of the
 * records, so references cross segments.
 *
 *     node build/examples/segments-by-source.js
 *     curl 'http://127.0.0.1:8080/fhir/Observation?patient=ann'     # from all segments
 */
import { createBulkhead } from 'bulkhead-fhir';
import type { Settings } from 'bulkhead-fhir';
import { partitionByResource } from 'bulkhead-fhir/interceptors';
import { runIfMain } from './run-example.js';
import type { RunningExample } from './run-example.js';

/** `meta.source` of what the laboratory sends. */
export const LABORATORY = 'https://lab.example/results';

/** Starts the server with three segments. `changes` are other settings, for example a port. */
export async function start(changes: Partial<Settings> = {}): Promise<RunningExample> {
  const segments = partitionByResource({
    rules: [
      { source: LABORATORY, partition: 'laboratory' },
      { types: ['QuestionnaireResponse'], partition: 'surveys' },
    ],
    otherwise: 'records',
    read: 'all',
  });
  const server = await createBulkhead({
    settings: {
      databaseUrl: 'sqlite::memory:',
      partitioning: ['interceptors'],
      references: 'any',
      resourceIds: 'server',
      ...changes,
    },
    interceptors: [segments],
  });
  for (const name of ['records', 'laboratory', 'surveys']) await server.partitions.create({ name });
  const { url } = await server.start();
  return { url, stop: () => server.stop() };
}

await runIfMain(import.meta.filename, start);
