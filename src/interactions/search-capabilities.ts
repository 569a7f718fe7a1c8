import type { RegisteredSearchParameter } from '../fhir/indexed-path.js';
import { RESOURCE_TYPES } from '../fhir/r4/resource-types.js';
import { COMMON_PARAMETERS } from '../search/common-parameters.js';
import { isSearchable } from '../search/parse-criterion.js';

/** What a CapabilityStatement says of a type's searches. */
export type SearchCapabilities = Readonly<
  Record<
    string,
    { readonly searchInclude: unknown; readonly searchRevInclude: unknown; readonly searchParam: unknown }
  >
>;

/** The parameters of each type, as the tenant that asks searches it. */
export type ParametersByType = (type: string) => readonly RegisteredSearchParameter[];

/** What searches of every type take: `rest.searchParam`. */
export function commonCapabilities(): readonly object[] {
  return COMMON_PARAMETERS.map((parameter) => ({ ...parameter, type: 'special' }));
}

/** By type, what its searches take; empty lists are undefined, as an element without content is none. */
export function searchCapabilities(parametersOf: ParametersByType): SearchCapabilities {
  const searchable = [...RESOURCE_TYPES].map(
    (type) => [type, parametersOf(type).filter(isSearchable)] as const,
  );
  const referrers = referrersByTarget(searchable);
  const entries = searchable.map(([type, list]) => {
    const searchParam = list.map(({ code, url, type: kind }) => ({
      name: code,
      definition: url,
      type: kind,
    }));
    return [
      type,
      { searchInclude: includesOf(type, list), searchRevInclude: referrers.get(type), searchParam },
    ] as const;
  });
  return Object.fromEntries(entries);
}

function includesOf(type: string, list: readonly RegisteredSearchParameter[]): readonly string[] | undefined {
  const references = list.filter((parameter) => parameter.type === 'reference');
  return references.length === 0 ? undefined : ['*', ...references.map(({ code }) => `${type}:${code}`)];
}

/** By type, the references that may lead to it. */
function referrersByTarget(
  searchable: readonly (readonly [type: string, list: readonly RegisteredSearchParameter[]])[],
): ReadonlyMap<string, readonly string[]> {
  const all = searchable.flatMap(([type, list]) =>
    list
      .filter((parameter) => parameter.type === 'reference')
      .map(({ code, targets }) => ({ name: `${type}:${code}`, targets })),
  );
  const byTarget = new Map<string, string[]>();
  for (const { name, targets } of all) {
    for (const target of targets.length === 0 ? RESOURCE_TYPES : targets) {
      const known = byTarget.get(target);
      if (known) known.push(name);
      else byTarget.set(target, [name]);
    }
  }
  return byTarget;
}
