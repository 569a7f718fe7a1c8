import { compartmentParameters, compartmentTypes } from '../fhir/compartments.js';
import { RESOURCE_TYPES } from '../fhir/r4/resource-types.js';
import { FhirError } from '../model/errors.js';
import type { CompartmentTarget, QueryParameter } from '../model/request.js';
import { knownElements } from './parse-elements.js';
import { parseEverything } from './parse-everything.js';
import { parseSearch } from './parse.js';
import { assertNotContained } from './parse-contained.js';
import { TYPE_PARAMETER, typesNamed } from './parse-types.js';
import { invalidParameter, type ParseContext, type SearchParameterSource } from './parse-context.js';
import type { Criterion, Include, SearchPlace, SearchRequest, TypedSearch } from './search-request.js';

/**
 * Reads a search of any place: a type, a compartment, the whole server. Over several types every parameter must be
 * known to each of them; `_type` names them.
 * @throws FhirError see parseSearch; INVALID_REQUEST for a type that has no members in the compartment
 */
export function parsePlace(
  place: SearchPlace,
  parameters: readonly QueryParameter[],
  context: ParseContext,
): SearchRequest {
  const strict = place.everything === undefined ? context : { ...context, handling: 'strict' as const };
  const known = knownElements(place.type, parameters, strict);
  const search = parseKnown(place, known.parameters, context);
  return known.ignored.length === 0 ? search : { ...search, ignored: [...known.ignored, ...search.ignored] };
}

function parseKnown(
  place: SearchPlace,
  parameters: readonly QueryParameter[],
  context: ParseContext,
): SearchRequest {
  const { type, compartment } = place;
  if (place.everything !== undefined) return parseEverything(place, place.everything, parameters, context);
  if (type === null) return parseSeveral(place, parameters, context);
  if (compartment !== null) assertHasMembers(compartment, type);
  const search = parseSearch(type, parameters, context);
  if (compartment !== null) assertNotContained(search, 'in a compartment');
  return compartment === null ? search : { ...search, ...within(compartment, search, context), place };
}

function parseSeveral(
  place: SearchPlace,
  parameters: readonly QueryParameter[],
  context: ParseContext,
): SearchRequest {
  const types = typesOf(place, parameters);
  const criteria = parameters.filter(([name]) => name !== TYPE_PARAMETER);
  const read = types.map((type) => parseSearch(type, criteria, context));
  const ignored = read.find((one) => one.ignored.length > 0)?.ignored ?? [];
  // What one type does not know is left out for all: it would stand for something else in every type.
  const kept = criteria.filter((one) =>
    read.every(({ applied }) => applied.includes(one) || isPassedOver(one)),
  );
  const searches = ignored.length === 0 ? read : types.map((type) => parseSearch(type, kept, context));
  const [first, ...others] = searches.map((search) => withCompartment(place, search, context));
  if (first === undefined) throw invalidParameter(TYPE_PARAMETER, 'name at least one resource type.');
  assertNotContained(first, 'over several types');
  const applied = parameters.filter((one) => one[0] === TYPE_PARAMETER || first.applied.includes(one));
  return { ...first, others, includes: distinctIncludes(searches), applied, ignored, place };
}

function isPassedOver([name]: QueryParameter): boolean {
  return name === '_format' || name === '_pretty';
}

function typesOf({ compartment }: SearchPlace, parameters: readonly QueryParameter[]): readonly string[] {
  const named = typesNamed(parameters);
  if (compartment === null) return named ?? [...RESOURCE_TYPES];
  for (const type of named ?? []) assertHasMembers(compartment, type);
  return named ?? membersOf(compartment);
}

function membersOf({ type }: CompartmentTarget): readonly string[] {
  return [...new Set([type, ...compartmentTypes(type)])];
}

function assertHasMembers(compartment: CompartmentTarget, type: string): void {
  if (membersOf(compartment).includes(type)) return;
  throw new FhirError('INVALID_REQUEST', `No ${type} belongs to the compartment of a ${compartment.type}.`);
}

function withCompartment(
  { compartment }: SearchPlace,
  search: SearchRequest,
  { registry }: ParseContext,
): SearchRequest {
  return compartment === null ? search : { ...search, ...within(compartment, search, { registry }) };
}

/** The same, of members of the compartment only. */
function within(
  compartment: CompartmentTarget,
  { resourceType, criteria, sort }: TypedSearch,
  { registry }: Pick<ParseContext, 'registry'>,
): TypedSearch {
  const member = membership(compartment, resourceType, registry);
  return { resourceType, criteria: [...criteria, member], sort };
}

/** A resource belongs to a compartment by any of several references; the compartment's own resource does as it is. */
function membership(
  { type, id }: CompartmentTarget,
  resourceType: string,
  registry: SearchParameterSource,
): Criterion {
  const codes = compartmentParameters(type, resourceType);
  const parameters = codes.flatMap((code) => registry.find(resourceType, code) ?? []);
  const paths = [...new Set(parameters.flatMap((one) => one.paths))];
  return { kind: 'member', compartment: { type, id }, isOwn: type === resourceType, paths };
}

/** An include of every reference is one for each type. */
function distinctIncludes(searches: readonly SearchRequest[]): readonly Include[] {
  const includes = searches.flatMap((search) => search.includes);
  return [...new Map(includes.map((include) => [JSON.stringify(include), include])).values()];
}
