import type { FhirResource } from 'fhir/r4.js';
import { syntheaSample } from '../fhir/expression/sample-resources.js';

/**
 * Synthetic patients' resources as a tenant can hold them; empty where the data is not beside the repository.
 * References lead to what is in the sample, and are words otherwise.
 */
export function syntheaTenant(): readonly FhirResource[] {
  const resources = JSON.parse(JSON.stringify(syntheaSample())) as FhirResource[];
  const names = new Map(resources.map(({ resourceType, id }) => [`urn:uuid:${id}`, `${resourceType}/${id}`]));
  for (const resource of resources) lead(resource, names);
  return resources;
}

function lead(value: unknown, names: ReadonlyMap<string, string>): void {
  if (typeof value !== 'object' || value === null) return;
  const holder = value as { reference?: unknown; display?: unknown };
  const { reference } = holder;
  if (typeof reference === 'string' && !reference.startsWith('#')) {
    const name = names.get(reference);
    if (name === undefined) {
      delete holder.reference;
      holder.display ??= 'Somebody';
    } else holder.reference = name;
  }
  for (const member of Object.values(value)) lead(member, names);
}
