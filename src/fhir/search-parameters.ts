import { searchParameterDefinitions, structureDefinitions } from './definitions.js';
import { TypeSchema } from './expression/schema.js';
import { bindParameter } from './expression/bind.js';
import { FULL_TEXT_PATH } from './full-text.js';
import type { BoundParameter, IndexedPath, RegisteredSearchParameter } from './indexed-path.js';
import type { SearchParameterDefinition } from './r4/compact.js';
import { RESOURCE_TYPES } from './r4/resource-types.js';

/** Whether there is full text search: https://hl7.org/fhir/R4/search.html#text. */
export type FullText = 'on' | 'off';

/** What a type's entry is made of. */
interface Sources {
  readonly inForce: readonly SearchParameterDefinition[];
  readonly indexed: readonly SearchParameterDefinition[];
}

interface TypeEntry {
  /** What the entry was made of: another registry with the same definitions of the type has the same entry. */
  readonly sources: Sources;
  readonly parameters: ReadonlyMap<string, RegisteredSearchParameter>;
  readonly list: readonly RegisteredSearchParameter[];
  readonly indexed: readonly IndexedPath[];
}

/** Resource types that specialise Resource directly (https://hl7.org/fhir/R4/domainresource.html). */
const NOT_DOMAIN_RESOURCES: ReadonlySet<string> = new Set(['Binary', 'Bundle', 'Parameters']);

/** What is indexed for the server itself, and no parameter of R4 finds. */
const UNNAMED: readonly SearchParameterDefinition[] = [
  {
    code: '',
    url: '',
    type: 'uri',
    base: ['CodeSystem'],
    expression: 'CodeSystem.valueSet',
    description: 'The value set of all codes',
  },
];

/**
 * The search parameters of a server, by resource type. Immutable: a server whose parameters change makes
 * another registry. What a type has is worked out when it is first asked for.
 */
export class SearchParameterRegistry {
  readonly schema: TypeSchema;
  /** Whether resources are indexed by their words, and `_text` and `_content` are there to search by. */
  readonly fullText: FullText;
  readonly #inForce: ReadonlyMap<string, readonly SearchParameterDefinition[]>;
  readonly #indexed: ReadonlyMap<string, readonly SearchParameterDefinition[]>;
  readonly #byUrl: ReadonlyMap<string, SearchParameterDefinition>;
  readonly #entries = new Map<string, TypeEntry>();
  /** Entries of the registry that this one followed. */
  readonly #earlier: ReadonlyMap<string, TypeEntry>;
  #beneath: SearchParameterRegistry | undefined;

  constructor(
    definitions: readonly SearchParameterDefinition[],
    schema: TypeSchema,
    earlier?: SearchParameterRegistry | Pick<SearchParameterRegistry, 'fullText'>,
    indexed: readonly SearchParameterDefinition[] = [],
  ) {
    this.schema = schema;
    this.fullText = earlier?.fullText ?? 'off';
    this.#inForce = groupByBase(definitions);
    this.#indexed = groupByBase(indexed);
    this.#byUrl = new Map(definitions.map((definition) => [definition.url, definition]));
    this.#earlier = new Map(
      earlier instanceof SearchParameterRegistry ? [...earlier.#earlier, ...earlier.#entries] : [],
    );
  }

  /**
   * A registry of other definitions. `indexed` are in force no longer, or not everywhere: nobody searches by them,
   * but their paths go on being indexed. Types whose definitions are the same objects as before keep everything that
   * was worked out for them; those whose definitions are the same as in `beneath` share it with that.
   */
  with(
    definitions: readonly SearchParameterDefinition[],
    indexed: readonly SearchParameterDefinition[],
    beneath?: SearchParameterRegistry,
  ): SearchParameterRegistry {
    const made = new SearchParameterRegistry(definitions, this.schema, this, [...UNNAMED, ...indexed]);
    made.#beneath = beneath;
    return made;
  }

  /** The parameter that `code` means on the type, those of Resource and DomainResource included. */
  find(resourceType: string, code: string): RegisteredSearchParameter | undefined {
    return this.#entry(resourceType).parameters.get(code);
  }

  /** The definition in force that has the canonical URL, with or without a version. */
  byUrl(url: string): SearchParameterDefinition | undefined {
    return this.#byUrl.get(url.split('|', 1)[0] ?? '');
  }

  /** All parameters of a type, in alphabetical order of their codes. */
  list(resourceType: string): readonly RegisteredSearchParameter[] {
    return this.#entry(resourceType).list;
  }

  /** The paths that resources of the type are indexed by; the same list as long as they are the same. */
  indexedPaths(resourceType: string): readonly IndexedPath[] {
    return this.#entry(resourceType).indexed;
  }

  #entry(resourceType: string): TypeEntry {
    const known = this.#entries.get(resourceType);
    if (known) return known;
    const entry = this.#makeEntry(resourceType);
    this.#entries.set(resourceType, entry);
    return entry;
  }

  #makeEntry(resourceType: string): TypeEntry {
    const inForce = definitionsOf(this.#inForce, resourceType);
    const indexed = definitionsOf(this.#indexed, resourceType);
    const sources = { inForce, indexed };
    const earlier = this.#earlier.get(resourceType);
    if (earlier && isMadeOf(earlier, sources)) return earlier;
    const beneath = this.#beneath ? this.#beneath.#entry(resourceType) : undefined;
    if (beneath && isMadeOf(beneath, sources)) return beneath;
    const bind = (definition: SearchParameterDefinition): BoundParameter => {
      const bound = bindParameter(this.schema, resourceType, definition, this);
      return this.fullText === 'on' && FULL_TEXT_URLS.has(definition.url) ? overWords(bound) : bound;
    };
    return toEntry(sources, inForce.map(bind), indexed.map(bind));
  }
}

const official = new Map<FullText, SearchParameterRegistry>();

/**
 * The registry of R4's own 1,375 search parameters. The first call reads the definitions from disk; as nobody can
 * change it, all have the same one, and what was worked out for a type is there for every server of the process.
 */
export function createSearchParameterRegistry(fullText: FullText = 'off'): SearchParameterRegistry {
  const known = official.get(fullText);
  if (known) return known;
  const schema = new TypeSchema(structureDefinitions());
  const made = new SearchParameterRegistry(searchParameterDefinitions(), schema, { fullText }, UNNAMED);
  official.set(fullText, made);
  return made;
}

/** `_text` and `_content`: no expression says what they look at. */
const FULL_TEXT_URLS: ReadonlySet<string> = new Set([
  'http://hl7.org/fhir/SearchParameter/DomainResource-text',
  'http://hl7.org/fhir/SearchParameter/Resource-content',
]);

function overWords({ parameter, indexed }: BoundParameter): BoundParameter {
  return { parameter: { ...parameter, paths: [FULL_TEXT_PATH] }, indexed };
}

/** The resource types that a base stands for: all that specialise it, or itself. */
export function typesOfBase(base: string): readonly string[] {
  if (base !== 'Resource' && base !== 'DomainResource') return [base];
  const all = [...RESOURCE_TYPES];
  return base === 'Resource' ? all : all.filter((type) => !NOT_DOMAIN_RESOURCES.has(type));
}

function definitionsOf(
  definitions: ReadonlyMap<string, readonly SearchParameterDefinition[]>,
  resourceType: string,
): readonly SearchParameterDefinition[] {
  const bases = NOT_DOMAIN_RESOURCES.has(resourceType)
    ? ['Resource', resourceType]
    : ['Resource', 'DomainResource', resourceType];
  return bases.flatMap((base) => definitions.get(base) ?? []);
}

function isMadeOf({ sources }: TypeEntry, { inForce, indexed }: Sources): boolean {
  return isSame(sources.inForce, inForce) && isSame(sources.indexed, indexed);
}

function isSame(one: readonly object[], other: readonly object[]): boolean {
  return one.length === other.length && one.every((item, at) => item === other[at]);
}

function groupByBase(
  definitions: readonly SearchParameterDefinition[],
): ReadonlyMap<string, readonly SearchParameterDefinition[]> {
  const groups = new Map<string, SearchParameterDefinition[]>();
  for (const definition of definitions) {
    for (const base of definition.base) {
      const group = groups.get(base);
      if (group) group.push(definition);
      else groups.set(base, [definition]);
    }
  }
  return groups;
}

/** Where two definitions have one code, the last one counts: the type's own over Resource's. */
function toEntry(
  sources: Sources,
  inForce: readonly BoundParameter[],
  others: readonly BoundParameter[],
): TypeEntry {
  const parameters = new Map(inForce.map(({ parameter }) => [parameter.code, parameter]));
  const list = [...parameters.values()].toSorted((a, b) => (a.code < b.code ? -1 : 1));
  const indexed = new Map(
    [...inForce, ...others].flatMap((one) =>
      one.indexed.map((path) => [`${path.kind} ${path.path}`, path] as const),
    ),
  );
  return { sources, parameters, list, indexed: [...indexed.values()] };
}
