/** What a token exports: https://hl7.org/fhir/uv/bulkdata/authorization/index.html. */
import type { ExportRequest } from '../export/export-request.js';
import { typesOfLevel } from '../export/exported-types.js';
import type { ParsedExport } from '../export/parse-export.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { type Access, accessOf, type Grant, insufficientScope, isWide } from '../model/access.js';
import type { PartitionScope } from '../model/partition.js';
import type { TypeFilter } from '../model/bulk-export.js';
import type { RequestDetails } from '../model/request.js';
import type { Permission } from '../model/smart-scope.js';
import type { LimitedScope } from '../storage/within-access.js';

/** What an export may hold. */
export interface GrantedExport {
  /** As they were asked for; where none were, those that are granted, or null for all of them. */
  readonly types: readonly string[] | null;
  /** Of these types only what one of its filters finds; null: everybody exports everything. */
  readonly limits: readonly TypeFilter[] | null;
}

const PROVENANCE = 'Provenance';

/**
 * Types that are asked for must be granted, to be read and to be searched; where none are asked for, the others are left
 * out. What is one patient's alone is no export.
 * @throws FhirError FORBIDDEN
 */
export async function grantExport(
  { limits: planned }: Pick<ServerParts, 'limits'>,
  scope: PartitionScope,
  { request, parsed }: { readonly request: RequestDetails; readonly parsed: ParsedExport },
): Promise<GrantedExport> {
  const access = accessOf(request);
  if (access === null) return { types: parsed.types, limits: null };
  const known = typesOfLevel(parsed.level);
  const types = parsed.types ?? known.filter((type) => limitsOf(access, type) !== undefined);
  const limits = new Map(types.map((type) => [type, limitsOf(access, type)]));
  if (parsed.associated.length > 0 && limitsOf(access, PROVENANCE)?.length !== 0) throw refused([PROVENANCE]);
  // What is granted by criteria that find nothing, or not all yet, is not granted.
  const granted = await planned.of(scope as LimitedScope, 'search', types);
  const missing = types.filter((type) => limits.get(type) === undefined || !granted.has(type));
  if (missing.length > 0) throw refused(missing);
  if (types.length === 0) throw insufficientScope('The token exports nothing.');
  const isAll = parsed.types === null && types.length === known.length;
  return { types: isAll ? null : types, limits: [...limits.values()].flatMap((limit) => limit ?? []) };
}

/**
 * Whoever comes for the files must still be granted what is in them.
 * @throws FhirError FORBIDDEN
 */
export function assertCovers(request: RequestDetails, exported: ExportRequest): void {
  const access = accessOf(request);
  if (access === null) return;
  const { types, level, associated, limits } = exported;
  const held = [...(types ?? typesOfLevel(level)), ...(associated.length > 0 ? [PROVENANCE] : [])];
  const missing = held.filter((type) => {
    const now = limitsOf(access, type);
    const then = (limits ?? []).filter((limit) => limit.type === type);
    return now === undefined || (now.length > 0 && JSON.stringify(now) !== JSON.stringify(then));
  });
  if (missing.length > 0) throw refused(missing);
}

/** Filters of which one must find what is exported; empty: everything is. Undefined: nothing of the type. */
function limitsOf(access: Access, type: string): readonly TypeFilter[] | undefined {
  // Who may see a Binary depends on what it belongs to.
  if (type === 'Binary' && !isWide(access)) return undefined;
  // What a patient's record refers to, such as Practitioners, is read by the patient's token, and not taken away in bulk.
  const [read, searched] = (['read', 'search'] satisfies Permission[]).map((one) =>
    access.grantBeyondPatient(one, type),
  );
  if (read === undefined || searched === undefined || read.kind === 'none' || searched.kind === 'none')
    return undefined;
  if (searched.kind === 'all') return filtersOf(type, read);
  if (read.kind === 'all') return filtersOf(type, searched);
  return JSON.stringify(read) === JSON.stringify(searched) ? filtersOf(type, read) : undefined;
}

function filtersOf(type: string, grant: Grant): readonly TypeFilter[] {
  if (grant.kind !== 'limited') return [];
  return grant.alternatives.map(({ criteria }) => ({ type, parameters: criteria }));
}

function refused(types: readonly string[]): Error {
  return insufficientScope(`The scopes of the token do not allow to export ${types.join(', ')}.`);
}
