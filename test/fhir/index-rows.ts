import { extractIndexValues } from '../../src/fhir/extract.js';
import type { IndexValues } from '../../src/fhir/index-values.js';
import { createSearchParameterRegistry } from '../../src/fhir/search-parameters.js';
import type { Resource } from '../../src/model/resource.js';

/** R4's own search parameters. */
export const registry = createSearchParameterRegistry();

/** The rows of one kind and path, without the path. */
export function rows(resource: Resource, kind: keyof IndexValues, path: string): unknown[] {
  const all: readonly { readonly path: string }[] = extractIndexValues(resource, registry)[kind];
  return all.filter((row) => row.path === path).map((row) => omitPath(row));
}

function omitPath(row: { readonly path: string }): object {
  return Object.fromEntries(Object.entries(row).filter(([name]) => name !== 'path'));
}
