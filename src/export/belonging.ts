import { compartmentParameters } from '../fhir/compartments.js';
import type { SearchParameterRegistry } from '../fhir/search-parameters.js';
import type { Condition } from '../storage/search-store.js';
import type { ExportRequest } from './export-request.js';
import { chunksOf, type SelectedPatient, type SelectedPatients } from './select-patients.js';

/** What belongs to an export, and whether it does whatever its time is. */
export interface Belonging {
  readonly where: Condition;
  readonly times: 'changes' | 'whole';
}

/** What decides about it. */
export interface BelongingParts {
  readonly request: ExportRequest;
  readonly registry: SearchParameterRegistry;
  /** Null: the export is not limited to patients. */
  readonly patients: SelectedPatients | null;
  /** Types of the compartment of which there are any. */
  readonly present: readonly string[];
}

/** The resources of a type that belong to an export, in parts; null: all of them do. */
export function belongingsOf(type: string, parts: BelongingParts): readonly Belonging[] | null {
  const { request, patients } = parts;
  const { level } = request;
  if (level.kind === 'group' && type === 'Group')
    return [{ where: { kind: 'ids', ids: [level.id] }, times: 'changes' }];
  if (patients !== null)
    return [
      ...chunksOf(patients.early).map((chunk): Belonging => ({
        where: belongsTo(type, chunk, parts),
        times: 'changes',
      })),
      ...chunksOf(patients.late).map((chunk): Belonging => ({
        where: belongsTo(type, chunk, parts),
        times: 'whole',
      })),
    ];
  if (level.kind === 'system' || type === 'Patient') return null;
  return [{ where: belongsTo(type, null, parts), times: 'changes' }];
}

/** Null: to any patient. */
type Owners = readonly SelectedPatient[] | null;

/** What tells of a resource that belongs to somebody belongs to them too. */
function belongsTo(type: string, owners: Owners, parts: BelongingParts): Condition {
  const own = memberOf(type, owners, parts);
  if (type !== PROVENANCE) return own;
  const targets = parts.present
    .filter((target) => target !== PROVENANCE)
    .map((target) => ({ type: target, where: memberOf(target, owners, parts) }));
  const paths = parts.registry.find(PROVENANCE, 'target')?.paths ?? [];
  return { kind: 'any', of: [own, { kind: 'chain', type, paths, targets }] };
}

const PROVENANCE = 'Provenance';

/** A patient's link to another does not make it part of the other's record. */
function memberOf(type: string, owners: Owners, { registry }: BelongingParts): Condition {
  if (type === 'Patient')
    return owners === null ? { kind: 'all', of: [] } : { kind: 'ids', ids: owners.map(({ id }) => id) };
  const codes = compartmentParameters('Patient', type);
  const paths = [...new Set(codes.flatMap((code) => registry.find(type, code)?.paths ?? []))];
  const refers = { kind: 'index', index: 'reference', type, paths } as const;
  if (owners === null) return { ...refers, targetFilter: 'Patient', tests: null };
  const rowIds = owners.map(({ rowId }) => rowId);
  return { ...refers, targetFilter: null, tests: [{ kind: 'rows', rowIds }] };
}
