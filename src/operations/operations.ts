import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { assertAdmin } from '../interactions/admin.js';
import { assertGranted } from '../interactions/permission.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { FILE_OPERATION, STATUS_OPERATION } from '../interactions/target.js';
import { accessOf, insufficientScope } from '../model/access.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import type { Permission } from '../model/smart-scope.js';
import {
  disableClient,
  enableClient,
  listClients,
  registerClient,
  removeClient,
} from './client-management.js';
import { exportFile } from './export-file.js';
import { exportStatus } from './export-status.js';
import { startExport } from './export.js';
import { everyPatient, everythingOf } from './everything.js';
import { expand } from './expand.js';
import { lastn } from './lastn.js';
import { lookup } from './lookup.js';
import { meta, metaAddOperation, metaDeleteOperation } from './meta.js';
import { explainPartition } from './partition-explain.js';
import {
  createPartition,
  deletePartition,
  listPartitions,
  movePartition,
  readPartition,
  updatePartition,
} from './partition-management.js';
import { reindex, reindexCancel, reindexStatus } from './reindex.js';
import { explainDescribed } from './search-explain.js';
import { stats } from './stats.js';
import { subsumes } from './subsumes.js';
import { usage } from './usage.js';
import { validateCodeInCodeSystem, validateCodeInValueSet } from './validate-code.js';
import { validate } from './validate.js';

/** Where an operation can be called. */
export type OperationLevel = 'system' | 'type' | 'instance';

/** An operation as the CapabilityStatement names it. */
export interface OperationDescription {
  readonly name: string;
  /** Canonical URL of the OperationDefinition. */
  readonly definition: string;
  readonly levels: readonly OperationLevel[];
  /** The one resource type that has it; left out: every type. */
  readonly type?: string;
  /** True for what manages the whole server: a tenant's URL does not have it. */
  readonly serverOnly?: boolean;
  /** Its name in the CapabilityStatement, where that is not the one of the URL. */
  readonly title?: string;
}

/**
 * What a token must grant for an operation to be called; what it reads and writes is limited besides. `type`: on the
 * type of its URL, or, on the server, on every type. `token`: anything at all. `itself`: it judges by what it is asked.
 */
export type OperationPermission =
  | { readonly kind: 'type'; readonly permissions: readonly Permission[] }
  | { readonly kind: 'token' | 'admin' | 'itself' };

interface Operation extends OperationDescription {
  readonly permission: OperationPermission;
  /** GET too where nothing is changed, and all parameters fit into a URL; it stands for HEAD unless something begins. */
  readonly methods: readonly string[];
  readonly run: (server: ServerParts, request: RequestDetails) => Promise<OutgoingResponse>;
}

const R4 = 'http://hl7.org/fhir/OperationDefinition';
const OWN = 'urn:bulkhead:operation';

const READ = ['GET', 'HEAD', 'POST'];
const CHANGE = ['POST'];
const START = ['GET', 'POST'];

const ADMIN: OperationPermission = { kind: 'admin' };
const TOKEN: OperationPermission = { kind: 'token' };
const ITSELF: OperationPermission = { kind: 'itself' };

function forType(...permissions: readonly Permission[]): OperationPermission {
  return { kind: 'type', permissions };
}

function serverOperation(name: string, run: Operation['run']): Operation {
  const definition = `${OWN}:${name}`;
  const place = { levels: ['system'], serverOnly: true } as const;
  return { name: `$${name}`, definition, ...place, permission: ADMIN, methods: READ, run };
}

function partitionOperation(name: string, methods: readonly string[], run: Operation['run']): Operation {
  return { ...serverOperation(`partition-management-${name}`, run), methods };
}

function reindexOperation(name: string, run: Operation['run']): Operation {
  const definition = `${OWN}:${name}`;
  return { name: `$${name}`, definition, levels: ['system'], permission: ADMIN, methods: CHANGE, run };
}

function clientOperation(name: string, run: Operation['run']): Operation {
  const definition = `${OWN}:client-${name}`;
  return { name: `$client-${name}`, definition, levels: ['system'], permission: ADMIN, methods: CHANGE, run };
}

function terminologyOperation(type: string, name: string, run: Operation['run']): Operation {
  const levels: readonly OperationLevel[] = name === 'lookup' ? ['type'] : ['type', 'instance'];
  const definition = `${R4}/${type}-${name}`;
  return { name: `$${name}`, definition, levels, type, permission: TOKEN, methods: READ, run };
}

function observationOperation(name: string, run: Operation['run']): Operation {
  const definition = `${R4}/Observation-${name}`;
  const place = { levels: ['type'], type: 'Observation' } as const;
  return { name: `$${name}`, definition, ...place, permission: forType('search'), methods: READ, run };
}

function recordOperation(type: string, level: OperationLevel, run: Operation['run']): Operation {
  const definition = `${R4}/${type}-everything`;
  const permission = forType(level === 'instance' ? 'read' : 'search');
  return { name: '$everything', definition, levels: [level], type, permission, methods: READ, run };
}

const BULK = 'http://hl7.org/fhir/uv/bulkdata/OperationDefinition';

/** Called by GET too: what they change is nothing that is read. Whoever asks for headers alone means nothing to begin. */
function exportOperation(level: OperationLevel, title: string, type?: string): Operation {
  const definition = `${BULK}/${title}`;
  const place = { levels: [level], ...(type === undefined ? {} : { type }) };
  const called = { permission: ITSELF, methods: START, run: startExport };
  return { name: '$export', title, definition, ...place, ...called };
}

function exportResult(name: string, methods: readonly string[], run: Operation['run']): Operation {
  const definition = `${OWN}:${name.slice(1)}`;
  return { name, definition, levels: ['system'], permission: ITSELF, methods, run };
}

/** Every operation; `docs/operations.md` is held equal to this table by a test. */
export const OPERATIONS: readonly Operation[] = [
  {
    name: '$meta',
    definition: `${R4}/Resource-meta`,
    levels: ['system', 'type', 'instance'],
    permission: forType('read'),
    methods: READ,
    run: meta,
  },
  {
    name: '$meta-add',
    definition: `${R4}/Resource-meta-add`,
    levels: ['instance'],
    permission: forType('read', 'update'),
    methods: CHANGE,
    run: metaAddOperation,
  },
  {
    name: '$meta-delete',
    definition: `${R4}/Resource-meta-delete`,
    levels: ['instance'],
    permission: forType('read', 'update'),
    methods: CHANGE,
    run: metaDeleteOperation,
  },
  {
    name: '$validate',
    definition: `${R4}/Resource-validate`,
    levels: ['type', 'instance'],
    permission: TOKEN,
    methods: READ,
    run: validate,
  },
  observationOperation('lastn', lastn),
  observationOperation('stats', stats),
  recordOperation('Patient', 'instance', everythingOf),
  recordOperation('Patient', 'type', everyPatient),
  recordOperation('Encounter', 'instance', everythingOf),
  terminologyOperation('ValueSet', 'expand', expand),
  terminologyOperation('ValueSet', 'validate-code', validateCodeInValueSet),
  terminologyOperation('CodeSystem', 'validate-code', validateCodeInCodeSystem),
  terminologyOperation('CodeSystem', 'lookup', lookup),
  terminologyOperation('CodeSystem', 'subsumes', subsumes),
  partitionOperation('create-partition', CHANGE, createPartition),
  partitionOperation('read-partition', READ, readPartition),
  partitionOperation('update-partition', CHANGE, updatePartition),
  partitionOperation('delete-partition', CHANGE, deletePartition),
  partitionOperation('move-partition', CHANGE, movePartition),
  partitionOperation('list-partitions', READ, listPartitions),
  clientOperation('register', registerClient),
  { ...clientOperation('list', listClients), methods: READ },
  clientOperation('disable', disableClient),
  clientOperation('enable', enableClient),
  clientOperation('remove', removeClient),
  serverOperation('partition-explain', explainPartition),
  serverOperation('search-explain', explainDescribed),
  exportOperation('system', 'export'),
  exportOperation('type', 'patient-export', 'Patient'),
  exportOperation('instance', 'group-export', 'Group'),
  {
    name: '$usage',
    definition: `${OWN}:usage`,
    levels: ['system'],
    permission: ITSELF,
    methods: READ,
    run: usage,
  },
  exportResult(STATUS_OPERATION, ['GET', 'HEAD', 'DELETE'], exportStatus),
  exportResult(FILE_OPERATION, ['GET', 'HEAD'], exportFile),
  { ...reindexOperation('reindex', reindex), levels: ['system', 'type'] },
  { ...reindexOperation('reindex-status', reindexStatus), methods: READ },
  reindexOperation('reindex-cancel', reindexCancel),
];

/** Runs the operation that the request names. @throws FhirError UNKNOWN_OPERATION, METHOD_NOT_ALLOWED */
export async function runOperation(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const name = request.operation ?? '';
  const level = levelOf(request);
  const operation = OPERATIONS.find(
    (one) => one.name === name && one.levels.includes(level) && isOf(one, request.resourceType),
  );
  if (!operation) {
    const where = level === 'system' ? 'the server' : `the ${level} level of ${request.resourceType}`;
    throw new FhirError('UNKNOWN_OPERATION', `There is no operation '${name.slice(0, 80)}' on ${where}.`);
  }
  assertMethod(operation, request.method);
  assertMayRun(server, operation, request);
  return operation.run(server, request);
}

function assertMethod({ name, methods }: Operation, method: string): void {
  if (methods.includes(method)) return;
  const allow = methods.join(', ');
  throw new FhirError('METHOD_NOT_ALLOWED', `${name} is called by ${allow}.`, { headers: { allow } });
}

/** @throws FhirError FORBIDDEN */
function assertMayRun(server: ServerParts, { permission }: Operation, request: RequestDetails): void {
  if (permission.kind === 'admin') return assertAdmin(server, request);
  const access = accessOf(request);
  if (access === null) return;
  switch (permission.kind) {
    case 'type':
      for (const one of permission.permissions) assertGranted(access, one, request.resourceType ?? '*');
      return;
    case 'token':
      if (access.grantsAny || access.admin) return;
      throw insufficientScope('The token grants nothing.');
    case 'itself':
      return;
  }
}

/** Those that can be called on the server, or under a tenant's URL. */
export function describeOperations(where: 'server' | 'tenant'): readonly OperationDescription[] {
  return where === 'server' ? OPERATIONS : OPERATIONS.filter(({ serverOnly }) => serverOnly !== true);
}

function isOf({ type }: OperationDescription, resourceType: string | undefined): boolean {
  return type === undefined || type === resourceType;
}

/** What a resource type's entry in the CapabilityStatement lists: each definition once, whatever its levels. */
export function operationsOf(
  resourceType: string,
  operations: readonly OperationDescription[],
): readonly OperationDescription[] {
  const own = operations.filter(
    (one) => isOf(one, resourceType) && one.levels.some((level) => level !== 'system'),
  );
  return [...new Map(own.map((one) => [one.definition, one])).values()];
}

function levelOf({ resourceType, resourceId }: RequestDetails): OperationLevel {
  if (resourceId !== undefined) return 'instance';
  return resourceType === undefined ? 'system' : 'type';
}
