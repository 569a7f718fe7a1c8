import { compartmentParameters, compartmentTypes } from '../fhir/compartments.js';
import { RESOURCE_TYPES } from '../fhir/r4/resource-types.js';
import type { ExportLevel } from '../model/bulk-export.js';

/** The types that an export of the level may have, if none are named. */
export function typesOfLevel(level: ExportLevel): readonly string[] {
  return level.kind === 'system' ? [...RESOURCE_TYPES] : patientTypes();
}

/** Whether resources of the type can be in an export of the level. */
export function isExportable(level: ExportLevel, type: string): boolean {
  return typesOfLevel(level).includes(type);
}

/** Patient first: whoever loads files in their order has the patients before what refers to them. */
function patientTypes(): readonly string[] {
  const members = compartmentTypes('Patient').filter(
    (type) => compartmentParameters('Patient', type).length > 0,
  );
  return [...new Set(['Patient', ...members])];
}
