import type { RegisteredSearchParameter } from '../fhir/indexed-path.js';
import type { SearchParameterRegistry } from '../fhir/search-parameters.js';
import type { ParameterRecord } from './parameter-record.js';

/** Parameters whose values no two resources of a type and partition may have in common, all together. */
export interface UniqueCombination {
  /** Of the composite parameter that demands it. */
  readonly url: string;
  readonly components: readonly RegisteredSearchParameter[];
}

/** What is demanded of each resource type. A combination of which a component is not in force demands nothing. */
export function uniqueCombinations(
  records: Iterable<ParameterRecord>,
  registry: SearchParameterRegistry,
): ReadonlyMap<string, readonly UniqueCombination[]> {
  const combinations = new Map<string, UniqueCombination[]>();
  for (const { isActive, isUnique, definition } of records) {
    if (!isActive || !isUnique) continue;
    for (const type of definition.base) {
      const components = (definition.components ?? []).flatMap((component) => {
        const url = component.definition.split('|', 1)[0];
        return registry.list(type).find((parameter) => parameter.url === url) ?? [];
      });
      if (components.length !== (definition.components ?? []).length) continue;
      combinations.set(type, [...(combinations.get(type) ?? []), { url: definition.url, components }]);
    }
  }
  return combinations;
}
