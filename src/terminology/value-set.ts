import { FhirError } from '../model/errors.js';
import type { Resource } from '../model/resource.js';
import { toDesignations, type Designation } from './code-system.js';
import { isPart, partsOf, textOf, textsOf, type JsonPart } from './json-parts.js';

/** A condition on the concepts of a system: https://hl7.org/fhir/R4/valueset-filter-operator.html */
export interface ConceptFilter {
  readonly property: string;
  readonly op: string;
  readonly value: string;
}

/** A concept that a value set lists. */
export interface ListedConcept {
  readonly code: string;
  readonly display: string | undefined;
  readonly designations: readonly Designation[];
}

/** One include or exclude: what the system gives, and is in all the value sets. */
export interface ConceptSet {
  readonly system: string | undefined;
  readonly version: string | undefined;
  /** Undefined: not by a list. */
  readonly concepts: readonly ListedConcept[] | undefined;
  readonly filters: readonly ConceptFilter[];
  /** Canonicals, or `#id` of contained ones. */
  readonly valueSets: readonly string[];
}

/** A value set (https://hl7.org/fhir/R4/valueset.html) as it is defined. */
export interface ValueSet {
  readonly url: string | undefined;
  readonly version: string | undefined;
  readonly include: readonly ConceptSet[];
  readonly exclude: readonly ConceptSet[];
  /** False: concepts out of use are no members. */
  readonly withInactive: boolean;
  /** Code systems and value sets that it brings along, by id. */
  readonly contained: ReadonlyMap<string, Resource>;
  /** Canonicals of supplements that it can't do without. */
  readonly supplements: readonly string[];
  readonly resource: Resource;
}

const NEEDS_SUPPLEMENT = 'http://hl7.org/fhir/StructureDefinition/valueset-supplement';

/**
 * Reads a ValueSet resource.
 * @throws FhirError INVALID_VALUE_SET where it has no definition, or one that can't be understood whole
 */
export function toValueSet(resource: Resource): ValueSet {
  const url = textOf(resource['url']);
  const name = url ?? resource.id ?? 'without a URL';
  const { compose = toCompose(resource, name) } = resource;
  if (!isPart(compose)) throw invalidValueSet(name, 'it has no compose');
  const include = partsOf(compose['include']).map((part) => toConceptSet(part, name));
  if (include.length === 0) throw invalidValueSet(name, 'compose.include is missing');
  return {
    url,
    version: textOf(resource['version']),
    include,
    exclude: partsOf(compose['exclude']).map((part) => toConceptSet(part, name)),
    withInactive: compose['inactive'] !== false,
    contained: containedOf(resource),
    supplements: supplementsOf(resource),
    resource,
  };
}

/**
 * What a value set lists that is there as an expansion only.
 * @throws FhirError INVALID_VALUE_SET where it has neither definition nor a whole expansion
 */
function toCompose({ expansion }: Resource, name: string): JsonPart {
  if (!isPart(expansion)) throw invalidValueSet(name, 'it has neither compose nor expansion');
  const all = flat(partsOf(expansion['contains']));
  const listed = all.filter(({ abstract, code }) => abstract !== true && code !== undefined);
  const { total, offset } = expansion;
  if ((typeof total === 'number' && total > all.length) || (typeof offset === 'number' && offset > 0))
    throw invalidValueSet(name, 'it has no compose, and its expansion is a page of the whole');
  const bySystem = Map.groupBy(listed, ({ system }) => textOf(system));
  return { include: [...bySystem].map(([system, concept]) => ({ system, concept })) };
}

function flat(contains: readonly JsonPart[]): readonly JsonPart[] {
  return contains.flatMap((one) => [one, ...flat(partsOf(one['contains']))]);
}

/** What is wrong with a value set, and with which one. */
export function invalidValueSet(name: string, problem: string): FhirError {
  return new FhirError('INVALID_VALUE_SET', `The value set ${name} can't be expanded: ${problem}.`);
}

function toConceptSet(part: JsonPart, name: string): ConceptSet {
  const system = textOf(part['system']);
  const valueSets = textsOf(part['valueSet']);
  assertLists(part, name);
  const concepts = part['concept'] === undefined ? undefined : partsOf(part['concept']).flatMap(toListed);
  const filters = partsOf(part['filter']).map((filter) => toFilter(filter, name));
  if (system === undefined && valueSets.length === 0)
    throw invalidValueSet(name, 'a part of compose has neither system nor valueSet');
  if (system === undefined && (concepts !== undefined || filters.length > 0))
    throw invalidValueSet(name, 'a part of compose has concepts or filters, but no system');
  if (concepts !== undefined && filters.length > 0)
    throw invalidValueSet(name, 'a part of compose has both concepts and filters');
  return { system, version: textOf(part['version']), concepts, filters, valueSets };
}

/** What narrows a part must not be lost for its shape. */
function assertLists(part: JsonPart, name: string): void {
  const broken = ['concept', 'filter', 'valueSet'].find((element) => {
    const list: unknown = part[element];
    if (list === undefined) return false;
    const isItem = element === 'valueSet' ? isText : isPart;
    return !Array.isArray(list) || list.length === 0 || !list.every(isItem);
  });
  if (broken !== undefined) throw invalidValueSet(name, `${broken} in a part of compose is no list of such`);
}

function isText(value: unknown): boolean {
  return textOf(value) !== undefined;
}

function toListed(part: JsonPart): ListedConcept[] {
  const code = textOf(part['code']);
  if (code === undefined) return [];
  return [{ code, display: textOf(part['display']), designations: toDesignations(part['designation']) }];
}

function toFilter({ property, op, value }: JsonPart, name: string): ConceptFilter {
  if (typeof property === 'string' && typeof op === 'string' && typeof value === 'string')
    return { property, op, value };
  throw invalidValueSet(name, 'a filter needs property, op and value');
}

/** https://hl7.org/fhir/R4/extension-valueset-supplement.html */
function supplementsOf(resource: Resource): readonly string[] {
  const needed = partsOf(resource['extension']).filter((one) => one['url'] === NEEDS_SUPPLEMENT);
  return needed.map((one) => textOf(one['valueCanonical']) ?? '');
}

function containedOf(resource: Resource): ReadonlyMap<string, Resource> {
  const contained = partsOf(resource['contained']) as readonly JsonPart[] as readonly Resource[];
  return new Map(contained.flatMap((one) => (textOf(one.id) ? [[one.id as string, one] as const] : [])));
}
