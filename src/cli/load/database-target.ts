import { parseJson } from '../../fhir/json.js';
import { dispatch } from '../../interactions/dispatch.js';
import { FhirError } from '../../model/errors.js';
import type { RequestDetails } from '../../model/request.js';
import type { Bundle } from '../../model/resource.js';
import type { Bulkhead } from '../../running-server.js';
import { type LoadedSettings, serverBaseOf } from '../../settings.js';
import type { PartitioningMode, Settings } from '../../settings/schema.js';
import { openServer } from '../open-server.js';
import { EMPTY_BATCH, type LoadTarget, type TargetAnswer, toAnswer } from './target.js';

/**
 * Loads into the database of the settings, in this process, next to a server that may be running on it. All
 * interceptors of the settings take part. Whoever may read the file needs no token and sends no header: the
 * partition that was named stands for the tenant in the URL.
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

function localPartitioning(modes: readonly PartitioningMode[]): readonly PartitioningMode[] {
  return modes.includes('interceptors') || modes.includes('off') ? modes : ['url'];
}

async function send({ parts, settings }: Bulkhead, partition: string, bundle: Bundle): Promise<TargetAnswer> {
  const request = toRequest(settings, { partition, bundle, id: parts.newRequestId() });
  try {
    const { status, body } = await dispatch(parts, request);
    return toAnswer(status, parseJson(String(body)));
  } catch (error) {
    const known = error instanceof FhirError ? error : parts.reportUnexpected(request.id, error);
    return toAnswer(known.status, known.toOutcome());
  }
}

function toRequest(
  settings: Settings,
  { partition, bundle, id }: { readonly partition: string; readonly bundle: Bundle; readonly id: string },
): RequestDetails {
  const serverBase = serverBaseOf(settings, settings.port);
  const urlTenant = settings.partitioning.includes('off') ? undefined : partition;
  return {
    id,
    method: 'POST',
    interaction: bundle.type === 'transaction' ? 'transaction' : 'batch',
    urlTenant,
    serverBase,
    base: urlTenant === undefined ? serverBase : `${serverBase}/${urlTenant}`,
    path: '',
    resourceType: undefined,
    resourceId: undefined,
    versionId: undefined,
    operation: undefined,
    parameters: [],
    headers: new Map([['prefer', ['return=minimal']]]),
    body: bundle,
    parent: undefined,
    attributes: new Map(),
  };
}
