import { searchParameterDefinitions, structureDefinitions } from './definitions.js';
import { TypeSchema } from './expression/schema.js';
import { bindParameter } from './expression/bind.js';
import type { BoundParameter, IndexedPath, RegisteredSearchParameter } from './indexed-path.js';
import type { SearchParameterDefinition } from './r4/compact.js';

interface TypeEntry {
  readonly parameters: ReadonlyMap<string, RegisteredSearchParameter>;
  readonly list: readonly RegisteredSearchParameter[];
  readonly indexed: readonly IndexedPath[];
}

/** Resource types that specialise Resource directly (https://hl7.org/fhir/R4/domainresource.html). */
const NOT_DOMAIN_RESOURCES: ReadonlySet<string> = new Set(['Binary', 'Bundle', 'Parameters']);

/**
 * The search parameters of a server, by resource type. Immutable: a server whose parameters change makes
 * another registry. What a type has is worked out when it is first asked for.
 */
export class SearchParameterRegistry {
  readonly schema: TypeSchema;
  readonly #definitions: ReadonlyMap<string, readonly SearchParameterDefinition[]>;
  readonly #entries = new Map<string, TypeEntry>();

  constructor(definitions: readonly SearchParameterDefinition[], schema: TypeSchema) {
    this.schema = schema;
    this.#definitions = groupByBase(definitions);
  }

  /** The parameter that `code` means on the type, those of Resource and DomainResource included. */
  find(resourceType: string, code: string): RegisteredSearchParameter | undefined {
    return this.#entry(resourceType).parameters.get(code);
  }

  /** All parameters of a type, in alphabetical order of their codes. */
  list(resourceType: string): readonly RegisteredSearchParameter[] {
    return this.#entry(resourceType).list;
  }

  /** The paths that resources of the type are indexed by. */
  indexedPaths(resourceType: string): readonly IndexedPath[] {
    return this.#entry(resourceType).indexed;
  }

  #entry(resourceType: string): TypeEntry {
    const known = this.#entries.get(resourceType);
    if (known) return known;
    const bound = this.#definitionsOf(resourceType).map((definition) =>
      bindParameter(this.schema, resourceType, definition),
    );
    const entry = toEntry(bound);
    this.#entries.set(resourceType, entry);
    return entry;
  }

  #definitionsOf(resourceType: string): readonly SearchParameterDefinition[] {
    const bases = NOT_DOMAIN_RESOURCES.has(resourceType)
      ? ['Resource', resourceType]
      : ['Resource', 'DomainResource', resourceType];
    return bases.flatMap((base) => this.#definitions.get(base) ?? []);
  }
}

/** The registry of R4's own 1,375 search parameters. Reads the definitions from disk. */
export function createSearchParameterRegistry(): SearchParameterRegistry {
  return new SearchParameterRegistry(searchParameterDefinitions(), new TypeSchema(structureDefinitions()));
}

function groupByBase(
  definitions: readonly SearchParameterDefinition[],
): ReadonlyMap<string, readonly SearchParameterDefinition[]> {
  const groups = new Map<string, SearchParameterDefinition[]>();
  for (const definition of definitions) {
    for (const base of definition.base) groups.set(base, [...(groups.get(base) ?? []), definition]);
  }
  return groups;
}

/** Where two definitions have one code, the last one counts: the type's own over Resource's. */
function toEntry(bound: readonly BoundParameter[]): TypeEntry {
  const parameters = new Map(bound.map(({ parameter }) => [parameter.code, parameter]));
  const list = [...parameters.values()].toSorted((a, b) => (a.code < b.code ? -1 : 1));
  const indexed = new Map(
    bound.flatMap((one) => one.indexed.map((path) => [`${path.kind} ${path.path}`, path] as const)),
  );
  return { parameters, list, indexed: [...indexed.values()] };
}
