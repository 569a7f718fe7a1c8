import {
  requiredValueSets,
  searchParameterDefinitions,
  structureDefinitions,
} from '../../src/fhir/definitions.js';
import type { SearchParameterDefinition } from '../../src/fhir/r4/compact.js';

const NOT_DOMAIN_RESOURCES = new Set(['Binary', 'Bundle', 'Parameters']);

const byType = new Map<string, ReadonlyMap<string, SearchParameterDefinition>>();

/** The search parameters of a resource type by code, its own before those of all resources. */
export function parametersOf(type: string): ReadonlyMap<string, SearchParameterDefinition> {
  const known = byType.get(type);
  if (known) return known;
  const bases = NOT_DOMAIN_RESOURCES.has(type) ? ['Resource', type] : ['Resource', 'DomainResource', type];
  const found = bases.flatMap((base) =>
    searchParameterDefinitions().filter((definition) => definition.base.includes(base)),
  );
  const made = new Map(found.map((definition) => [definition.code, definition]));
  byType.set(type, made);
  return made;
}

/** @throws Error for a code that the type does not have */
export function parameterOf(type: string, code: string): SearchParameterDefinition {
  const found = parametersOf(type).get(code);
  if (found === undefined) throw new Error(`${type} has no ${code}.`);
  return found;
}

/** @throws Error for a URL that no parameter of R4 has */
export function parameterByUrl(url: string): SearchParameterDefinition {
  const found = searchParameterDefinitions().find((definition) => definition.url === url);
  if (found === undefined) throw new Error(`There is no ${url}.`);
  return found;
}

/** A part of a composite parameter. */
export interface ComponentDefinition {
  readonly definition: SearchParameterDefinition;
  readonly expression: string;
}

/** R4 has the definitions of this one the wrong way round: the code is called a reference, and the target a token. */
const SWAPPED = 'http://hl7.org/fhir/SearchParameter/DocumentReference-relationship';

/** The parts of a composite parameter, in the order in which their values are written. */
export function componentsOf({
  url,
  components = [],
}: SearchParameterDefinition): readonly ComponentDefinition[] {
  const definitions = components.map(({ definition }) => parameterByUrl(definition));
  const ordered = url === SWAPPED ? definitions.toReversed() : definitions;
  return components.map(({ expression }, at) => ({ definition: ordered[at]!, expression }));
}

/**
 * The code system of a `code` element whose value set takes all its codes from one system: "the system is implied"
 * (https://hl7.org/fhir/R4/search.html#token). `element` is `Patient.gender`.
 */
export function impliedSystem(element: string): string | undefined {
  const type = element.slice(0, element.indexOf('.'));
  const binding = structureDefinitions()
    .get(type)
    ?.elements.find(({ path }) => path === element)?.binding;
  if (binding?.strength !== 'required') return undefined;
  const systems = Object.keys(requiredValueSets()[binding.valueSet] ?? {});
  return systems.length === 1 ? systems[0] : binding.system;
}
