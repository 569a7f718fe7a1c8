import { Readable } from 'node:stream';
import { parseJson } from '../../fhir/json.js';
import type { RawContent } from '../../interactions/binary.js';
import { dispatch } from '../../interactions/dispatch.js';
import { FhirError } from '../../model/errors.js';
import type { Bundle } from '../../model/resource.js';
import type { Bulkhead } from '../../running-server.js';
import type { LoadedSettings } from '../../settings.js';
import { localPartitioning, type LocalRequest, toLocalRequest } from '../local-request.js';
import { openServer } from '../open-server.js';
import type { LargeBinary } from './large-binary.js';
import { EMPTY_BATCH, type LoadTarget, type TargetAnswer, toAnswer, toSingleAnswer } from './target.js';

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
    transactionEntries: server.settings.maxBundleEntries,
    probe: () => send(server, partition, EMPTY_BATCH),
    send: (bundle) => send(server, partition, bundle),
    sendBinary: (binary) => sendBinary(server, partition, binary),
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
  const { status, body } = await answerTo(server, partition, {
    method: 'POST',
    interaction: bundle.type === 'transaction' ? 'transaction' : 'batch',
    headers: new Map([['prefer', ['return=minimal']]]),
    body: bundle,
  });
  return toAnswer(status, body);
}

async function sendBinary(
  server: Bulkhead,
  partition: string,
  { id, contentType, securityContext, content }: LargeBinary,
): Promise<TargetAnswer> {
  const raw: RawContent = { kind: 'raw', contentType, stream: Readable.from([content]) };
  const context = securityContext === undefined ? [] : [['x-security-context', [securityContext]] as const];
  const { status, body } = await answerTo(server, partition, {
    method: 'PUT',
    interaction: 'update',
    path: `Binary/${id}`,
    resourceType: 'Binary',
    resourceId: id,
    headers: new Map([['prefer', ['return=minimal']], ...context]),
    body: raw,
  });
  return toSingleAnswer(status, body);
}

/** Status and parsed body, of errors too. */
async function answerTo(
  server: Bulkhead,
  partition: string,
  asked: LocalRequest,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const { parts } = server;
  const request = toLocalRequest(server, partition, asked);
  try {
    const { status, body } = await dispatch(parts, request);
    return { status, body: typeof body === 'string' && body !== '' ? parseJson(body) : undefined };
  } catch (error) {
    const known = error instanceof FhirError ? error : parts.reportUnexpected(request.id, error);
    return { status: known.status, body: known.toOutcome() };
  }
}
