import type { FhirResource } from 'fhir/r4.js';
import type { SearchParameterDefinition } from '../../src/fhir/r4/compact.js';
import type { FoundValue } from './fhir-expression.js';
import { plain, relative } from './matching.js';
import {
  amountsOf,
  numbersOf,
  referencesOf,
  spansOf,
  stringsOf,
  tokensOf,
  urisOf,
} from './parameter-values.js';
import { parameterOf } from './parameters.js';

/** What an order is judged by. */
export interface SortWorld {
  readonly base: string;
  valuesOf(resource: FhirResource, definition: SearchParameterDefinition): readonly FoundValue[];
  /** How many resources were stored before the one of the name; undefined where there is none. */
  ageOf(name: string): number | undefined;
}

type Comparable = number | string;

/** A key of `_sort`. */
interface Key {
  readonly code: string;
  readonly isDescending: boolean;
}

/**
 * What is wrong with the order of resources by `_sort` (https://hl7.org/fhir/R4/search.html#sort); undefined where it
 * is right. What has no value comes last whatever the direction, of several values the first one in the order counts,
 * and equals may stand in any order.
 */
export function wrongOrder(
  world: SortWorld,
  resources: readonly FhirResource[],
  sort: string,
): string | undefined {
  const keys = sort.split(',').map(toKey);
  const rows = resources.map((resource) => ({
    resource,
    values: keys.map((key) => sortValue(world, resource, key)),
  }));
  for (const [at, row] of rows.entries()) {
    const before = rows[at - 1];
    if (before === undefined || compareRows(before.values, row.values, keys) <= 0) continue;
    const [first, second] = [before, row].map(({ resource: { id }, values }) => `${id} (${values.join()})`);
    return `${first} comes before ${second}`;
  }
  return undefined;
}

function toKey(text: string): Key {
  const isDescending = text.startsWith('-');
  return { code: isDescending ? text.slice(1) : text, isDescending };
}

function compareRows(
  one: readonly (Comparable | undefined)[],
  other: readonly (Comparable | undefined)[],
  keys: readonly Key[],
): number {
  for (const [at, { isDescending }] of keys.entries()) {
    const [a, b] = [one[at], other[at]];
    if (a === b) continue;
    if (a === undefined) return 1;
    if (b === undefined) return -1;
    return isDescending ? compare(b, a) : compare(a, b);
  }
  return 0;
}

/** Texts by their code points, which is not the order of UTF-16. */
function compare(a: Comparable, b: Comparable): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}

function sortValue(
  world: SortWorld,
  resource: FhirResource,
  { code, isDescending }: Key,
): Comparable | undefined {
  const definition = parameterOf(resource.resourceType, code);
  if (code === '_id') return resource.id;
  if (code === '_lastUpdated') return Date.parse(resource.meta?.lastUpdated ?? '');
  const values = world
    .valuesOf(resource, definition)
    .flatMap((found) => comparableOf(world, found, { definition, isDescending }));
  const [first] = values.toSorted((a, b) => (isDescending ? compare(b, a) : compare(a, b)));
  return first;
}

function comparableOf(
  { base, ageOf }: SortWorld,
  found: FoundValue,
  {
    definition,
    isDescending,
  }: { readonly definition: SearchParameterDefinition; readonly isDescending: boolean },
): readonly Comparable[] {
  switch (definition.type) {
    case 'string':
      return stringsOf(found).map(plain);
    case 'token':
      return tokensOf(found).flatMap(({ code }) => code ?? []);
    case 'uri':
      return urisOf(found);
    case 'date':
      return spansOf(found).map(({ from, to }) => (isDescending ? to : from));
    case 'number':
    case 'quantity':
      // A range is nothing to sort by.
      if (found.type === 'Range') return [];
      return (definition.type === 'number' ? numbersOf(found) : amountsOf(found)).map(({ low }) => low);
    case 'reference':
      return referencesOf(found).flatMap(({ target }) => ageOf(relative(target, base)) ?? []);
    case 'composite':
    case 'special':
      throw new Error(`Nothing is sorted by ${definition.code}.`);
  }
}
