/** What a token may do, asked before anything is done: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html. */
import type { IndexValues } from '../fhir/index-values.js';
import { RESOURCE_TYPES } from '../fhir/r4/resource-types.js';
import { type Access, accessOf, type Grant, insufficientScope, isGrantedWhole } from '../model/access.js';
import type { PartitionId } from '../model/partition.js';
import type { RequestDetails } from '../model/request.js';
import type { Permission } from '../model/smart-scope.js';
import { typesNamed } from '../search/parse-types.js';
import type { LimitedScope } from '../storage/within-access.js';
import { notFound } from './find.js';
import type { ServerParts } from './server-parts.js';

/** A version that is about to be written, or to be replaced. */
export interface WrittenVersion {
  readonly type: string;
  readonly id: string;
  /** Milliseconds since 1970 UTC. */
  readonly updated: number;
  readonly index: IndexValues;
  readonly partition: PartitionId;
}

/**
 * Refuses what no scope of the token covers, whatever is stored. What is covered in part is limited where it is read or
 * written; operations say themselves what they need.
 * @throws FhirError FORBIDDEN
 */
export function assertPermitted(request: RequestDetails): void {
  const access = accessOf(request);
  if (access === null) return;
  const { interaction, resourceType = '*' } = request;
  switch (interaction) {
    case 'read':
    case 'vread':
    case 'history-instance':
      return assertGranted(access, 'read', resourceType);
    case 'create':
      return assertWriteGranted(access, 'create', request);
    case 'update':
    case 'patch':
      return assertWriteGranted(access, 'update', request);
    case 'delete':
      return assertWriteGranted(access, 'delete', request);
    case 'history-type':
    case 'history-system':
      return assertWhole(request, 'search', resourceType);
    case 'search-type':
    case 'search-system':
      return assertSearched(access, request);
    case 'operation':
    case 'capabilities':
    case 'batch':
    case 'transaction':
    case 'page':
      return;
  }
}

/** @throws FhirError FORBIDDEN where nothing of the type is granted */
export function assertGranted(access: Access, permission: Permission, type: string): void {
  if (access.grantOf(permission, type).kind !== 'none') return;
  throw refused(permission, type);
}

/**
 * What tells of all resources of a type at once can't be limited; `*`: of every type.
 * @throws FhirError FORBIDDEN where not all of it is granted
 */
export function assertWhole(request: RequestDetails, permission: Permission, type: string): void {
  const access = accessOf(request);
  if (access !== null && !isGrantedWhole(access, permission, type)) throw refused(permission, type);
}

function assertWriteGranted(access: Access, permission: Permission, request: RequestDetails): void {
  const { resourceType = '*', resourceId, headers } = request;
  assertGranted(access, permission, resourceType);
  const isConditional = permission === 'create' ? headers.has('if-none-exist') : resourceId === undefined;
  if (isConditional) assertGranted(access, 'search', resourceType);
}

/** Types that are named must be granted; of those that are not, what is granted is searched. */
function assertSearched(access: Access, { resourceType, parameters }: RequestDetails): void {
  const named = resourceType === undefined ? typesNamed(parameters) : [resourceType];
  if (named !== undefined) {
    for (const type of named) assertGranted(access, 'search', type);
    return;
  }
  const isAny = [...RESOURCE_TYPES].some((type) => access.grantOf('search', type).kind !== 'none');
  if (!isAny) throw refused('search', '*');
}

/**
 * Where a token opens a part of a type only, what it can't see may exist: nobody gets a place there by naming it.
 * @throws FhirError NOT_FOUND
 */
export function assertMayClaimId(request: RequestDetails, type: string, id: string): void {
  const access = accessOf(request);
  if (access !== null && !isGrantedWhole(access, 'update', type)) throw notFound(type, id);
}

/**
 * A resource as it is, or as it will be, has to be within what the token opens.
 * @throws FhirError FORBIDDEN, also where it can't be told
 */
export async function assertWithin(
  server: ServerParts,
  request: RequestDetails,
  permission: Permission,
  version: WrittenVersion,
): Promise<void> {
  const access = accessOf(request);
  if (access === null || access.grantOf(permission, version.type).kind === 'all') return;
  const scope = server.resolver.scopeOfWrite(request, version.partition) as LimitedScope;
  if (await server.limits.allows(scope, permission, version)) return;
  throw insufficientScope(`The scopes of the token do not cover this ${version.type}.`);
}

/** What a write needs, by what was asked for; operations that write change labels. */
export function permissionOf({ interaction }: RequestDetails): Permission {
  if (interaction === 'create' || interaction === 'delete') return interaction;
  return 'update';
}

/** Whether what was written may be answered: a token that may only write reads nothing by it. */
export function mayBeAnswered(request: RequestDetails, type: string): boolean {
  const access = accessOf(request);
  if (access === null) return true;
  const read = access.grantOf('read', type);
  return read.kind === 'all' || isSame(read, access.grantOf(permissionOf(request), type));
}

function isSame(read: Grant, written: Grant): boolean {
  return read.kind === 'limited' && JSON.stringify(read) === JSON.stringify(written);
}

function refused(permission: Permission, type: string): Error {
  const what = type === '*' ? 'resources of every type' : `${type} resources`;
  return insufficientScope(`No scope of the token allows to ${permission} ${what}.`);
}
