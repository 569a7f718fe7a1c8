import type { Resource } from '../model/resource.js';
import { compartmentDefinitions } from './definitions.js';
import { extractIndexValues } from './extract.js';
import type { SearchParameterRegistry } from './search-parameters.js';

/** R4's compartments (https://hl7.org/fhir/R4/compartmentdefinition.html). */
export type CompartmentType = 'Device' | 'Encounter' | 'Patient' | 'Practitioner' | 'RelatedPerson';

/**
 * Codes of the reference parameters by which resources of a type belong to a compartment; empty for types that
 * are not part of it. A compartment's own type may have one too: a Patient's `link`.
 */
export function compartmentParameters(compartment: CompartmentType, resourceType: string): readonly string[] {
  const members = compartmentDefinitions()[compartment];
  return members && Object.hasOwn(members, resourceType) ? (members[resourceType] ?? []) : [];
}

/** Resource types that have members in the compartment, in the order of the definition. */
export function compartmentTypes(compartment: CompartmentType): readonly string[] {
  return Object.keys(compartmentDefinitions()[compartment] ?? {});
}

/**
 * Ids of the resources whose compartments hold `resource`, each once, in the order of the definition's
 * parameters: for `Patient` and an Observation the ids that `subject` and `performer` refer to. A resource of
 * the compartment's own type comes first with its own id.
 */
export function compartmentOwners(
  compartment: CompartmentType,
  resource: Resource,
  registry: SearchParameterRegistry,
): readonly string[] {
  const { resourceType, id } = resource;
  const paths = compartmentParameters(compartment, resourceType).flatMap(
    (code) => registry.find(resourceType, code)?.paths ?? [],
  );
  const own = resourceType === compartment && id !== undefined ? [id] : [];
  if (paths.length === 0) return own;
  const references = extractIndexValues(resource, registry).references.filter(
    ({ type }) => type === compartment,
  );
  const found = paths.flatMap((path) =>
    references.flatMap((one) => (one.path === path ? (one.id ?? []) : [])),
  );
  return [...new Set([...own, ...found])];
}

/** Ids of the Patients that a resource belongs to; see `compartmentOwners`. */
export function patientCompartmentMembers(
  resource: Resource,
  registry: SearchParameterRegistry,
): readonly string[] {
  return compartmentOwners('Patient', resource, registry);
}
