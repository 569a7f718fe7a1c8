/** Writes an AuditEvent for everything that is asked for. */
export { audit } from './audit.js';
export type { AuditBuffering } from './audit-buffer.js';
export type { AuditedWho } from './audit-event.js';
export type { AuditOptions } from './auditor.js';
/** Judges what is asked for, and what is shown, by an ordered list of rules. */
export { authorization } from './authorization.js';
export type { AuthorizationOptions } from './authorization.js';
export { rules } from './authorization-rules.js';
export type {
  AuthorizationRule,
  RuleAction,
  RuleCompartment,
  Rules,
  RuleStart,
  RuleTarget,
  RuleTenants,
} from './authorization-rules.js';
/** Registers a partition when it is first written to. */
export { autoCreatePartition } from './auto-create-partition.js';
export type { AutoCreatePartitionOptions, CreatablePartitions } from './auto-create-partition.js';
/** Changes what another interceptor answers. */
export { withChangedChoice } from './changed-choice.js';
export type { ChoiceChanges } from './changed-choice.js';
/** Asks a service what somebody has consented to. */
export { consent } from './consent.js';
export type { ConsentService, ConsentToOperation } from './consent.js';
/** The tenant in a header. */
export { headerPartition } from './header-partition.js';
export type { HeaderPartitionOptions } from './header-partition.js';
/** A partition for each share of the patients. */
export { patientCompartmentPartition } from './patient-compartment-partition.js';
export type { PatientCompartmentPartitionOptions } from './patient-compartment-partition.js';
/** Segments by type or source. */
export { partitionByResource } from './partition-by-resource.js';
export type { PartitionByResourceOptions, ResourceRule } from './partition-by-resource.js';
/** A date beside the partition. */
export { withPartitionDate } from './partition-date.js';
export type { DateOf } from './partition-date.js';
/** Refuses by the partitions that were selected. */
export { partitionGuard } from './partition-guard.js';
export type { GuardedSelection, PartitionGuardOptions } from './partition-guard.js';
/** What the setting `partitioning` means. */
export { partitionSources } from './partition-sources.js';
/** The tenant in the URL. */
export { requestTenantPartition } from './request-tenant-partition.js';
export type { RequestTenantPartitionOptions } from './request-tenant-partition.js';
/** Limits how fast partitions are asked. */
export { quota } from './quota.js';
export type { QuotaOptions } from './quota.js';
export { rateLimit } from './rate-limit.js';
export type { Rate, RateLimitOptions } from './rate-limit.js';
/** Limits what searches find. */
export { searchNarrowing } from './search-narrowing.js';
export type { Narrowing, SearchNarrowingOptions } from './search-narrowing.js';
/** Tenants from several places at once, and places of your own. */
export { tenantPartition } from './tenant-partition.js';
export type { TenantOptions, TenantPartitionOptions } from './tenant-partition.js';
export type { GrantSource, TenantGrant } from './tenant-grant.js';
export { partitionIdsHeader, tenantHeader, urlTenant } from './tenant-source.js';
export type { NamedPartitions, TenantSource, UnnamedOption } from './tenant-source.js';
/** The tenant in a claim of a bearer token. */
export { principalGrant, tokenGrant, tokenPartition } from './token-partition.js';
export type { TokenGrantOptions, TokenPartitionOptions } from './token-partition.js';
export { tokenVerifier } from '../src/index.js';
export type { TokenAlgorithm, TokenVerifier, TokenVerifierOptions } from '../src/index.js';
