import type { FhirResource } from 'fhir/r4.js';
import type { SearchParameterDefinition } from '../../src/fhir/r4/compact.js';
import type { FoundValue } from './fhir-expression.js';
import type { Filter, FilterStep, FilterTest } from './filters.js';
import { plain } from './matching.js';
import { spansOf, stringsOf, tokensOf, urisOf } from './parameter-values.js';
import { parameterOf } from './parameters.js';
import { splitUnescaped, unescapeValue } from './query-text.js';
import { spanOf } from './time-spans.js';

/** What a filter is judged by. */
export interface FilterWorld {
  /** Whether an ordinary parameter holds. */
  holds(resource: FhirResource, name: string, value: string): boolean;
  valuesOf(resource: FhirResource, definition: SearchParameterDefinition): readonly FoundValue[];
  /** What a reference leads to, of one type. */
  follow(resource: FhirResource, code: string, type: string): readonly FhirResource[];
}

/** Whether a resource passes the filter. */
export function passes(world: FilterWorld, resource: FhirResource, filter: Filter): boolean {
  switch (filter.kind) {
    case 'and':
      return passes(world, resource, filter.left) && passes(world, resource, filter.right);
    case 'or':
      return passes(world, resource, filter.left) || passes(world, resource, filter.right);
    case 'not':
      return !passes(world, resource, filter.of);
    case 'test':
      return passesTest(world, resource, filter);
    case 'element':
      return world.holds(resource, filter.composite, filter.value);
  }
}

/** `ni` and `pr false` say that nothing on the whole path is so. */
function passesTest(world: FilterWorld, resource: FhirResource, test: FilterTest): boolean {
  if (test.operator === 'ni') return !leadsTo(world, resource, { ...test, operator: 'in' });
  if (test.operator === 'pr' && test.value === 'false')
    return !leadsTo(world, resource, { ...test, value: 'true' });
  return leadsTo(world, resource, test);
}

function leadsTo(world: FilterWorld, resource: FhirResource, test: FilterTest): boolean {
  const [step, ...rest] = test.path;
  if (step === undefined) return holdsHere(world, resource, test);
  return targetsOf(world, resource, step).some((target) => leadsTo(world, target, { ...test, path: rest }));
}

function targetsOf(
  world: FilterWorld,
  resource: FhirResource,
  { code, type, filter }: FilterStep,
): readonly FhirResource[] {
  const targets = world.follow(resource, code, type);
  return filter === undefined ? targets : targets.filter((target) => passes(world, target, filter));
}

/** What operators are called as modifiers. */
const MODIFIERS: Readonly<Record<string, string>> = { ss: ':below', sb: ':above', in: ':in' };
const COMPARED = new Set(['number', 'quantity', 'date']);

function holdsHere(world: FilterWorld, resource: FhirResource, test: FilterTest): boolean {
  const { code, operator, value } = test;
  const definition = parameterOf(resource.resourceType, code);
  if (operator === 'pr') return world.holds(resource, `${code}:missing`, 'false');
  if (code === '_id') return (resource.id === value) === (operator === 'eq');
  if (operator in MODIFIERS) return world.holds(resource, `${code}${MODIFIERS[operator]}`, value);
  if (operator === 'po' || (operator === 'co' && definition.type === 'date'))
    return world
      .valuesOf(resource, definition)
      .flatMap(spansOf)
      .some((one) => isPeriod(one, operator, value));
  if (COMPARED.has(definition.type)) return world.holds(resource, code, `${operator}${value}`);
  const found = world.valuesOf(resource, definition);
  switch (definition.type) {
    case 'string':
      return found.flatMap(stringsOf).some((one) => isText(plain(one), operator, plain(value)));
    case 'uri':
      return found.flatMap(urisOf).some((one) => (one === value) === (operator === 'eq'));
    case 'token':
      if (operator === 'ne') return found.flatMap(tokensOf).some((one) => isOther(one, value));
      return world.holds(resource, code, value);
    default:
      return world.holds(resource, code, value);
  }
}

/** A value that is another one: of a system alone, another system. */
function isOther(
  value: { readonly system: string | undefined; readonly code: string | undefined },
  asked: string,
): boolean {
  const [first = '', second] = splitUnescaped(asked, '|').map(unescapeValue);
  if (second === undefined) return (value.code ?? '') !== first;
  const isOtherSystem = (value.system ?? '') !== first;
  return second === '' ? isOtherSystem : isOtherSystem || (value.code ?? '') !== second;
}

function isPeriod(
  value: { readonly from: number; readonly to: number },
  operator: string,
  asked: string,
): boolean {
  const search = spanOf(unescapeValue(asked));
  if (operator === 'po') return value.from < search.to && value.to > search.from;
  return value.from <= search.from && value.to >= search.to;
}

/** By the code points of the whole text. */
function isText(value: string, operator: string, asked: string): boolean {
  const order = Buffer.compare(Buffer.from(value), Buffer.from(asked));
  switch (operator) {
    case 'eq':
      return order === 0;
    case 'ne':
      return order !== 0;
    case 'co':
      return value.includes(asked);
    case 'sw':
      return value.startsWith(asked);
    case 'ew':
      return value.endsWith(asked);
    case 'gt':
      return order > 0;
    case 'ge':
      return order >= 0;
    case 'lt':
      return order < 0;
    case 'le':
      return order <= 0;
    default:
      throw new Error(`${operator} means nothing for texts.`);
  }
}
