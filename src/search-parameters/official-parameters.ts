import { searchParameterDefinitions } from '../fhir/definitions.js';
import type { SearchParameterDefinition } from '../fhir/r4/compact.js';

/** When R4 4.0.1 was published: `meta.lastUpdated` of its search parameters until somebody changes them. */
export const PUBLISHED = Date.parse('2019-11-01T09:29:23+11:00');

/** R4's own search parameters by resource id, which is the end of their URL. */
export function officialParameters(): ReadonlyMap<string, SearchParameterDefinition> {
  return new Map(searchParameterDefinitions().map((definition) => [idOf(definition), definition]));
}

function idOf({ url }: SearchParameterDefinition): string {
  return url.slice(url.lastIndexOf('/') + 1);
}
