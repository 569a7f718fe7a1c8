import { ancestors, descendants, type CodeSystem, type Concept } from './code-system.js';
import { linearPattern } from './linear-pattern.js';
import { PatternError } from './pattern-parser.js';
import type { ConceptFilter } from './value-set.js';

/** Whether a concept of the system is meant. */
export type ConceptTest = (concept: Concept) => boolean;

/** Why a filter can't be applied, in words that end a sentence. */
export class FilterError extends Error {
  override readonly name = 'FilterError';
}

const OPERATORS = [
  '=',
  'is-a',
  'descendent-of',
  'is-not-a',
  'regex',
  'in',
  'not-in',
  'generalizes',
  'exists',
];
/** What every concept may have, whatever the system declares. */
const OWN_PROPERTIES = ['code', 'concept', 'display', 'definition', 'designation'];
const KNOWN_PROPERTIES = ['parent', 'child', 'subsumedBy', 'inactive', 'status', 'notSelectable'];

/**
 * The test of a filter: https://hl7.org/fhir/R4/valueset-filter-operator.html
 * @throws FilterError for what the system doesn't have, and for patterns that are not always fast
 */
export function conceptTest(filter: ConceptFilter, system: CodeSystem): ConceptTest {
  const { op, value } = filter;
  switch (op) {
    case 'is-a':
    case 'descendent-of':
    case 'is-not-a':
    case 'generalizes':
      return hierarchyTest(filter, system);
    case '=':
      return valueTest(filter, system, (one) => one === value);
    case 'regex':
      return valueTest(filter, system, pattern(value));
    case 'in': {
      const wanted = listOf(value);
      return valueTest(filter, system, (one) => wanted.has(one));
    }
    case 'not-in': {
      const isWanted = conceptTest({ ...filter, op: 'in' }, system);
      return (concept) => !isWanted(concept);
    }
    case 'exists':
      return existsTest(filter, system);
    default:
      throw new FilterError(`the filter operator "${op.slice(0, 40)}" is none of ${OPERATORS.join(', ')}`);
  }
}

function hierarchyTest({ op, property, value }: ConceptFilter, system: CodeSystem): ConceptTest {
  if (property !== 'concept' && property !== 'code')
    throw new FilterError(`${op} is a filter on concept, not on ${property}`);
  const start = system.find(value);
  if (start === undefined)
    throw new FilterError(`${system.url} has no concept "${value}", which a filter names`);
  const codes = op === 'generalizes' ? ancestors(system, start) : descendants(system, start);
  if (op === 'is-not-a') return (concept) => !codes.has(concept.code);
  if (op === 'descendent-of') return (concept) => codes.has(concept.code) && concept !== start;
  return (concept) => codes.has(concept.code);
}

function valueTest(
  filter: ConceptFilter,
  system: CodeSystem,
  isMeant: (text: string) => boolean,
): ConceptTest {
  const values = reader(filter, system);
  return (concept) => values(concept).some(isMeant);
}

function existsTest(filter: ConceptFilter, system: CodeSystem): ConceptTest {
  const { value } = filter;
  if (value !== 'true' && value !== 'false') throw new FilterError('exists takes true or false');
  const values = reader(filter, system);
  return (concept) => values(concept).length > 0 === (value === 'true');
}

/** The texts that a concept has for the filter's property. */
function reader({ property }: ConceptFilter, system: CodeSystem): (concept: Concept) => readonly string[] {
  switch (property) {
    case 'code':
    case 'concept':
      return ({ code }) => [code];
    case 'display':
      return ({ display }) => (display === undefined ? [] : [display]);
    case 'definition':
      return ({ definition }) => (definition === undefined ? [] : [definition]);
    case 'designation':
      return ({ designations }) => designations.map(({ value }) => value);
    case 'parent':
    case 'subsumedBy':
      return ({ parents }) => [...parents];
    case 'child':
      return ({ children }) => [...children];
    default:
      return propertyReader(property, system);
  }
}

function propertyReader(property: string, system: CodeSystem): (concept: Concept) => readonly string[] {
  if (!system.propertyCodes.has(property) && !KNOWN_PROPERTIES.includes(property)) {
    const known = [...OWN_PROPERTIES, ...system.propertyCodes].join(', ');
    throw new FilterError(`${system.url} has no property "${property}" to filter by; it has ${known}`);
  }
  return ({ properties }) =>
    properties.filter(({ code }) => code === property).map(({ value }) => propertyText(value));
}

/** A Coding counts by its code. */
function propertyText(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'code' in value) return String(value.code);
  return String(value);
}

function listOf(value: string): ReadonlySet<string> {
  return new Set(value.split(',').map((one) => one.trim()));
}

function pattern(value: string): (text: string) => boolean {
  const matches = refusing(value, () => linearPattern(value));
  return (text) => refusing(value, () => matches(text));
}

function refusing<Result>(value: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new FilterError(`the pattern "${value.slice(0, 80)}" is refused: ${error.message}`);
  }
}
