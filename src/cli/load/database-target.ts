import { parseJson } from '../../fhir/json.js';
import { dispatch } from '../../interactions/dispatch.js';
import { FhirError } from '../../model/errors.js';
import type { Bundle } from '../../model/resource.js';
import type { Bulkhead } from '../../running-server.js';
import type { LoadedSettings } from '../../settings.js';
import { localPartitioning, toLocalRequest } from '../local-request.js';
import { openServer } from '../open-server.js';
import { EMPTY_BATCH, type LoadTarget, type TargetAnswer, toAnswer } from './target.js';

/**
 * Loads into the database of the settings, in this process, next to a server that may be running on it. All
 * interceptors of the settings take part.
 */
export async function openDatabaseTarget(loaded: LoadedSettings, partition: string): Promise<LoadTarget> {
  const { server, close } = await openServer(loaded, {
    partitioning: localPartitioning(loaded.settings.partitioning),
  });
  await createWhereAllowed(server, partition);
  return {
    probe: () => send(server, partition, EMPTY_BATCH),
    send: (bundle) => send(server, partition, bundle),
    close,
  };
}

/** Loading writes, and `autoCreatePartitions` lets the first write to a tenant make its partition. */
async function createWhereAllowed({ settings, partitions }: Bulkhead, name: string): Promise<void> {
  if (!settings.autoCreatePartitions || settings.unnamedPartitions || !settings.partitioning.includes('url'))
    return;
  if (!partitions.list().some((partition) => partition.name === name)) await partitions.create({ name });
}

async function send(server: Bulkhead, partition: string, bundle: Bundle): Promise<TargetAnswer> {
  const { parts } = server;
  const request = toLocalRequest(server, partition, {
    method: 'POST',
    interaction: bundle.type === 'transaction' ? 'transaction' : 'batch',
    headers: new Map([['prefer', ['return=minimal']]]),
    body: bundle,
  });
  try {
    const { status, body } = await dispatch(parts, request);
    return toAnswer(status, parseJson(String(body)));
  } catch (error) {
    const known = error instanceof FhirError ? error : parts.reportUnexpected(request.id, error);
    return toAnswer(known.status, known.toOutcome());
  }
}
