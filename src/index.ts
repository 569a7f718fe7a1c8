// Sorted by module, then by name.

/** The bearer token of a request, and who is believed. */
export { bearerTokenOf } from './auth/bearer-token.js';
export type { TokenAlgorithm } from './auth/issuers.js';
export { loginRequired } from './auth/login-required.js';
export { tokenVerifier } from './auth/token-verifier.js';
export type { TokenVerifier, TokenVerifierOptions } from './auth/token-verifier.js';
/** The Patients that a resource belongs to, and whose types belong to any. */
export { compartmentParameters, compartmentTypes, patientCompartmentMembers } from './fhir/compartments.js';
export type { CompartmentType } from './fhir/compartments.js';
/** Whether a name is one of R4's resource types. */
export { isResourceType } from './fhir/definitions.js';
/** Replaces references wherever a resource may hold them. */
export { rewriteReferences } from './fhir/rewrite-references.js';
/** R4's search parameters, from which compartments follow. */
export { createSearchParameterRegistry } from './fhir/search-parameters.js';
/** Hooks as decorated methods. `Interceptor` is the decorator, and as a type the shape of an interceptor. */
export { Hook, Interceptor, interceptorOf } from './hooks/decorators.js';
/** What a decide pointcut's decision was made of. */
export type { Asked, Decision, Verdict } from './hooks/dispatch.js';
/** An interceptor as an object: taught first. */
export { defineInterceptor } from './hooks/interceptor.js';
/** Parts of an interceptor. */
export type { Hooks, OrderedHook } from './hooks/interceptor.js';
/** What a plugin tells of its own pointcut. */
export type { AnyDefinition, Definition, DefinitionOf } from './hooks/pointcut-definition.js';
/** The built-in pointcuts: their names as constants, and their manual. */
export { Pointcut, POINTCUTS } from './hooks/pointcut-manual.js';
/** The types of pointcuts; `PointcutMap` is the one that plugins merge into. */
export type {
  AccessedResource,
  AnswerOf,
  BuiltInPointcuts,
  Decide,
  DecidedWrite,
  DeleteConflict,
  EventOf,
  HookAnswer,
  HookEvent,
  HookFunction,
  HookResponse,
  MaybePromise,
  Mode,
  Observe,
  OutgoingResponse,
  PointcutMap,
  PointcutName,
  PointcutsOf,
  ReadTarget,
  RecordWriter,
  ReplacementOf,
  ResponseBody,
  ServerRecord,
  Transform,
  ValueOf,
  Veto,
} from './hooks/pointcuts.js';
/** The hooks of one server. */
export { HookRegistry } from './hooks/registry.js';
/** Bulk exports as interceptors see them. */
export type {
  AssociatedData,
  BulkExport,
  BulkExportParameters,
  ExportLevel,
  TypeFilter,
} from './model/bulk-export.js';
/** The one error that is meant for a client, and every code it can have. */
export { ERROR_CATALOGUE, ERROR_SYSTEM, FhirError } from './model/errors.js';
/** Parts of a FhirError. */
export type { ErrorCode, FhirErrorOptions } from './model/errors.js';
/** Partitions that always exist, and types that live in DEFAULT only. */
export {
  ALL_PARTITIONS_NAME,
  DEFAULT_PARTITION_ID,
  DEFAULT_PARTITION_NAME,
  NON_PARTITIONABLE_TYPES,
} from './model/partition.js';
/** Partitions, and what a partition hook answers. */
export type { Partition, PartitionChoice, PartitionId } from './model/partition.js';
/** Who makes a request, where authentication is on. */
export { isTenantGranted, PRINCIPAL, principalOf } from './model/principal.js';
export type { Principal, TenantGrants } from './model/principal.js';
/** How much a partition may have, what it holds, and the header fields that tell it. */
export { quotaHeaders } from './model/quota.js';
export type { PartitionUsage, Quota } from './model/quota.js';
/** Attributes of a request: that it is only described, and who it is made for. */
export { DESCRIBED_ONLY, SUBJECT } from './model/request.js';
/** What writes may be answered with. */
export { limitWriteAnswer } from './model/write-answer.js';
export type { WriteAnswerJudge } from './model/write-answer.js';
/** A request as interceptors see it. */
export type { Interaction, QueryParameter, RequestDetails } from './model/request.js';
/** Resources as JSON. */
export type {
  Bundle,
  BundleEntry,
  Coding,
  Meta,
  OperationOutcome,
  OutcomeIssue,
  Resource,
} from './model/resource.js';
/** Opens a server. */
export { createBulkhead } from './server.js';
/** A server, and what it is made from. */
export type { Bulkhead } from './running-server.js';
export type { BulkheadOptions } from './server.js';
/** Every setting's value. */
export type { PartitioningMode, Settings } from './settings/schema.js';
