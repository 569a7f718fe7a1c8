import { extractIndexValues } from '../fhir/extract.js';
import type { SearchParameterRegistry } from '../fhir/search-parameters.js';
import {
  DEFAULT_PARTITION_ID,
  NON_PARTITIONABLE_TYPES,
  type PartitionAssignment,
  type PartitionId,
} from '../model/partition.js';
import type { RequestDetails } from '../model/request.js';
import type { Resource } from '../model/resource.js';
import type { ConditionClaim, StoredVersion } from '../storage/store.js';
import { assertReplacementValid, prepareResource } from './incoming.js';
import { contentOf } from './find.js';
import { assertWithin, permissionOf } from './permission.js';
import type { Attempt, PlannedWrite, WriteOutcome } from './planned-write.js';
import type { ServerParts } from './server-parts.js';

/** A new resource, and where it goes. */
export interface Creation {
  readonly resource: Resource;
  readonly id: string;
  readonly assignment: PartitionAssignment;
  readonly claim: ConditionClaim | undefined;
}

/** A new version of what is stored. `claim` as for a create. */
export interface Replacement {
  readonly resource: Resource;
  readonly current: StoredVersion;
  readonly claim?: ConditionClaim | undefined;
}

/** Plans the first version of a resource. */
export async function planCreation(
  server: ServerParts,
  request: RequestDetails,
  { resource: sent, id, assignment, claim }: Creation,
): Promise<PlannedWrite> {
  const resource = await server.hooks.transform('STORAGE_PRESTORAGE_RESOURCE_CREATED', { request }, sent);
  await assertReplacementValid(server, request, { before: sent, after: resource });
  const updated = server.clock();
  const { current: registry } = await server.partitionParameters.of(assignment.partition);
  const prepared = prepareResource(request, { resource, id, version: 1, updated, registry });
  const { text, index, references } = prepared;
  const type = resource.resourceType;
  const { partition } = assignment;
  await assertWithin(server, request, permissionOf(request), { type, id, updated, index, partition });
  return {
    change: {
      kind: 'create',
      assignment,
      type,
      id,
      updated,
      text,
      index,
      references,
      ...(claim ? { claim } : {}),
    },
    beforeCommit: precommit(server, 'STORAGE_PRECOMMIT_RESOURCE_CREATED', () => ({
      request,
      resource: prepared.resource,
      partition: partitionOf(server, assignment.partition),
    })),
    outcome: toOutcome({ status: 201, type, id, version: 1, updated, text }, assignment.partition),
    resource: prepared.resource,
  };
}

/** Plans the next version; a deleted resource comes back to life by it. */
export async function planReplacement(
  server: ServerParts,
  request: RequestDetails,
  { resource: sent, current, claim }: Replacement,
): Promise<PlannedWrite> {
  if (current.deleted) return planRevival(server, request, { resource: sent, current, claim });
  const previous = contentOf(current);
  const resource = await server.hooks.transform(
    'STORAGE_PRESTORAGE_RESOURCE_UPDATED',
    { request, previous },
    sent,
  );
  await assertReplacementValid(server, request, { before: sent, after: resource });
  const { current: registry } = await server.partitionParameters.of(current.partition);
  const next = nextVersion(server, request, { resource, current, registry });
  const previousIndex = extractIndexValues(previous, registry);
  await assertWithin(server, request, 'update', { ...current, index: previousIndex });
  await assertWithin(server, request, 'update', { ...current, ...next.content });
  return {
    change: { kind: 'update', current, previousIndex, ...next.content, ...(claim ? { claim } : {}) },
    beforeCommit: precommit(server, 'STORAGE_PRECOMMIT_RESOURCE_UPDATED', () => ({
      request,
      resource: next.resource,
      previous,
      partition: partitionOf(server, current.partition),
    })),
    outcome: next.outcome(200),
    resource: next.resource,
  };
}

async function planRevival(
  server: ServerParts,
  request: RequestDetails,
  { resource: sent, current, claim }: Replacement,
): Promise<PlannedWrite> {
  const resource = await server.hooks.transform('STORAGE_PRESTORAGE_RESOURCE_CREATED', { request }, sent);
  await assertReplacementValid(server, request, { before: sent, after: resource });
  const { current: registry } = await server.partitionParameters.of(current.partition);
  const next = nextVersion(server, request, { resource, current, registry });
  await assertWithin(server, request, 'update', { ...current, ...next.content });
  return {
    change: { kind: 'update', current, previousIndex: null, ...next.content, ...(claim ? { claim } : {}) },
    beforeCommit: precommit(server, 'STORAGE_PRECOMMIT_RESOURCE_CREATED', () => ({
      request,
      resource: next.resource,
      partition: partitionOf(server, current.partition),
    })),
    outcome: next.outcome(201),
    resource: next.resource,
  };
}

/** Plans the deletion of a resource that lives. */
export async function planDeletion(
  server: ServerParts,
  request: RequestDetails,
  { current, attempt }: { readonly current: StoredVersion; readonly attempt: Attempt },
): Promise<PlannedWrite> {
  const resource = contentOf(current);
  await server.hooks.veto('STORAGE_PRESTORAGE_RESOURCE_DELETED', { request, resource });
  const updated = laterThan(current, server.clock());
  const { type, id } = current;
  const referrers = attempt.ignoredConflicts.has(`${type}/${id}`) ? 'ignore' : 'forbid';
  const { current: registry } = await server.partitionParameters.of(current.partition);
  const previousIndex = extractIndexValues(resource, registry);
  await assertWithin(server, request, 'delete', { ...current, index: previousIndex });
  return {
    change: { kind: 'delete', current, updated, previousIndex, referrers },
    beforeCommit: precommit(server, 'STORAGE_PRECOMMIT_RESOURCE_DELETED', () => ({
      request,
      resource,
      partition: partitionOf(server, current.partition),
    })),
    outcome: toOutcome(
      { status: 204, type, id, version: current.version + 1, updated, text: null },
      current.partition,
    ),
    resource: undefined,
  };
}

/** Nothing to store: the resource that was found is the answer. */
export function planNothing(current: StoredVersion): PlannedWrite {
  const { type, id, version, updated, text, partition } = current;
  return {
    change: undefined,
    beforeCommit: undefined,
    outcome: toOutcome({ status: 200, type, id, version, updated, text }, partition),
    resource: undefined,
  };
}

/** Nothing to delete, which is what the client wants (https://hl7.org/fhir/R4/http.html#delete). */
export function planNoDeletion(type: string, id: string): PlannedWrite {
  const none = { version: undefined, updated: undefined, text: null, pinned: false };
  const outcome: WriteOutcome = { status: 204, type, id, ...none };
  return { change: undefined, beforeCommit: undefined, outcome, resource: undefined };
}

interface NextVersion {
  readonly resource: Resource;
  readonly current: StoredVersion;
  readonly registry: SearchParameterRegistry;
}

function nextVersion(
  server: ServerParts,
  request: RequestDetails,
  { resource, current, registry }: NextVersion,
) {
  const { type, id } = current;
  const version = current.version + 1;
  const updated = laterThan(current, server.clock());
  const prepared = prepareResource(request, { resource, id, version, updated, registry });
  const { text, index, references } = prepared;
  return {
    resource: prepared.resource,
    content: { type, id, updated, text, index, references },
    outcome: (status: 200 | 201) =>
      toOutcome({ status, type, id, version, updated, text }, current.partition),
  };
}

/** A clock that goes backwards must not make a version older than the one before. */
function laterThan(current: StoredVersion, now: number): number {
  return Math.max(now, current.updated + 1);
}

function toOutcome(outcome: Omit<WriteOutcome, 'pinned'>, partition: PartitionId): WriteOutcome {
  const pinned = partition === DEFAULT_PARTITION_ID && NON_PARTITIONABLE_TYPES.has(outcome.type);
  return { ...outcome, pinned };
}

type CommitPointcut =
  | 'STORAGE_PRECOMMIT_RESOURCE_CREATED'
  | 'STORAGE_PRECOMMIT_RESOURCE_UPDATED'
  | 'STORAGE_PRECOMMIT_RESOURCE_DELETED';

function precommit<P extends CommitPointcut>(
  server: ServerParts,
  pointcut: P,
  event: () => Parameters<typeof server.hooks.observe<P>>[1],
): (() => Promise<void>) | undefined {
  if (!server.hooks.has(pointcut)) return undefined;
  return async () => {
    await server.hooks.observe(pointcut, event());
  };
}

function partitionOf(server: ServerParts, id: PartitionId) {
  return server.directory.byId(id) ?? server.directory.byId(DEFAULT_PARTITION_ID)!;
}
