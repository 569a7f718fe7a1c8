/** What the server stores besides what it was asked for: see STORAGE_PRESTORAGE_RECORDS. */
import { extractIndexValues } from '../fhir/extract.js';
import { parseStored, stringifyJson } from '../fhir/json.js';
import { withServerMeta } from '../fhir/meta.js';
import type { DecidedWrite, ServerRecord } from '../hooks/pointcuts.js';
import type { RequestDetails } from '../model/request.js';
import type { Resource } from '../model/resource.js';
import { partitionOfChange } from '../storage/partition-usage.js';
import type { Change, StoredVersion } from '../storage/store.js';
import type { PlannedWrite } from './planned-write.js';
import type { ServerParts } from './server-parts.js';

/** The writes, and behind them what interceptors want to be stored in the same transaction. */
export async function withRecords(
  server: ServerParts,
  request: RequestDetails,
  writes: readonly PlannedWrite[],
): Promise<readonly PlannedWrite[]> {
  if (!server.hooks.has('STORAGE_PRESTORAGE_RECORDS')) return writes;
  const decided = writes.flatMap((write) => toDecided(request, write) ?? []);
  const event = { request, writes: decided };
  const records = await server.hooks.transform('STORAGE_PRESTORAGE_RECORDS', event, []);
  const partitions = new Set(decided.map(({ partition }) => partition));
  if (!records.every(({ partition }) => partitions.has(partition)))
    throw new TypeError('A record belongs to a partition that is written to.');
  return [...writes, ...(await planRecords(server, records))];
}

/** Records as new resources. What they refer to has to be relative; search finds them as any others. */
export async function planRecords(
  server: ServerParts,
  records: readonly ServerRecord[],
): Promise<readonly PlannedWrite[]> {
  const planned: PlannedWrite[] = [];
  for (const record of records) planned.push(await planRecord(server, record));
  return planned;
}

async function planRecord(
  server: ServerParts,
  { partition, resource: sent }: ServerRecord,
): Promise<PlannedWrite> {
  const [id, updated, version] = [await server.newId(), server.clock(), 1];
  const { current: registry } = await server.partitionParameters.of(partition);
  const resource = withServerMeta(sent, { id, version, updated });
  const type = resource.resourceType;
  const text = stringifyJson(resource);
  return {
    change: {
      kind: 'create',
      exempt: true,
      assignment: server.resolver.assignmentOfJob(partition),
      type,
      id,
      updated,
      text,
      index: extractIndexValues(resource, registry),
      references: [],
    },
    beforeCommit: undefined,
    outcome: { status: 201, type, id, version, updated, text, pinned: false },
    resource,
  };
}

function toDecided(asking: RequestDetails, write: PlannedWrite): DecidedWrite | undefined {
  const { change, request = asking, outcome, resource } = write;
  if (change === undefined) return undefined;
  const { type, id, version = 1 } = outcome;
  const current = change.kind === 'create' ? undefined : change.current;
  let previous: Resource | undefined;
  const contentBefore = (): Resource | undefined => (previous ??= parsed(current));
  return {
    request,
    action: actionOf(change),
    type,
    id,
    version,
    partition: partitionOfChange(change),
    get resource() {
      return resource ?? contentBefore() ?? { resourceType: type, id };
    },
    previous: contentBefore,
  };
}

/** What was deleted comes to life again by an update, as something new. */
function actionOf(change: Change): DecidedWrite['action'] {
  return change.kind === 'update' && change.current.deleted ? 'create' : change.kind;
}

function parsed(version: StoredVersion | undefined): Resource | undefined {
  return version?.text == null ? undefined : (parseStored(version.text) as Resource);
}
