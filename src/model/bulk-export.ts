import type { PartitionId } from './partition.js';
import type { QueryParameter } from './request.js';

/** Where an export was kicked off: https://hl7.org/fhir/uv/bulkdata/export.html. */
export type ExportLevel =
  | { readonly kind: 'system' }
  | { readonly kind: 'patient' }
  | { readonly kind: 'group'; readonly id: string };

/** Only resources of the type that a search finds; several filters of one type are alternatives. */
export interface TypeFilter {
  readonly type: string;
  /** Search parameters, decoded. */
  readonly parameters: readonly QueryParameter[];
}

/** Which Provenances come besides, for the values of `includeAssociatedData`. */
export type AssociatedData = 'LatestProvenanceResources' | 'RelevantProvenanceResources';

/** What a bulk export was asked for, checked. */
export interface BulkExportParameters {
  readonly level: ExportLevel;
  /** Null: all types of the level. */
  readonly types: readonly string[] | null;
  /** Only what changed after this time, milliseconds since 1970 UTC. */
  readonly since: number | null;
  /** Only what changed before this time, milliseconds since 1970 UTC. */
  readonly before: number | null;
  readonly filters: readonly TypeFilter[];
  /** `element` or `Type.element`; empty: whole resources. */
  readonly elements: readonly string[];
  /** Ids of the patients that alone are exported; null: all of the level. */
  readonly patients: readonly string[] | null;
  readonly associated: readonly AssociatedData[];
  /** Files hold a block for each patient, of whatever types; null: a file holds one type. */
  readonly organizeBy: 'Patient' | null;
}

/** A bulk export as hooks see it. */
export interface BulkExport {
  /** UUID; `_jobId` of the URL that tells its status. */
  readonly id: string;
  readonly partition: PartitionId;
  readonly parameters: BulkExportParameters;
}
