import type {
  Address,
  CodeableConcept,
  Coding,
  ContactPoint,
  FhirResource,
  HumanName,
  Identifier,
  Money,
  Period,
  Quantity,
  Range,
  Reference,
  Timing,
} from 'fhir/r4.js';
import type { FoundValue } from './fhir-expression.js';
import { impliedSystem } from './parameters.js';
import { spanOf, spanOfPeriod, spanOfTiming, type TimeSpan } from './time-spans.js';

/** What a token parameter sees of a value. */
export interface TokenValue {
  readonly system: string | undefined;
  readonly code: string | undefined;
  /** What `:text` searches. */
  readonly texts: readonly string[];
  /** What `:of-type` compares besides the value of an identifier. */
  readonly types: readonly Coding[];
}

/** What a reference parameter sees of a value: an empty `target` is there, but has no name. */
export interface ReferenceValue {
  readonly target: string;
  readonly version: string | undefined;
  readonly identifier: Identifier | undefined;
}

function given<T>(...values: readonly (T | undefined)[]): T[] {
  return values.filter((value): value is T => value !== undefined);
}

/** https://hl7.org/fhir/R4/search.html#string */
export function stringsOf({ value, type }: FoundValue): readonly string[] {
  switch (type) {
    case 'HumanName': {
      const { family, given: names = [], prefix = [], suffix = [], text } = value as HumanName;
      return [...given(family, text), ...names, ...prefix, ...suffix];
    }
    case 'Address': {
      const { line = [], city, district, state, postalCode, country, text } = value as Address;
      return [...line, ...given(city, district, state, postalCode, country, text)];
    }
    case 'CodeableConcept':
      return given((value as CodeableConcept).text);
    default:
      return typeof value === 'string' ? [value] : [];
  }
}

/** https://hl7.org/fhir/R4/search.html#token; an element without a code is there, but has no name. */
export function tokensOf(found: FoundValue): readonly TokenValue[] {
  const { value, type, element } = found;
  switch (type) {
    case 'Coding':
      return [codingToken(value as Coding, [])];
    case 'CodeableConcept': {
      const { coding = [], text } = value as CodeableConcept;
      const texts = given(text);
      return coding.length === 0
        ? [{ system: undefined, code: undefined, texts, types: [] }]
        : coding.map((one) => codingToken(one, texts));
    }
    case 'Identifier': {
      const { system, value: code, type: kind } = value as Identifier;
      return [{ system, code, texts: given(kind?.text), types: kind?.coding ?? [] }];
    }
    case 'ContactPoint':
      return [plainToken((value as ContactPoint).value)];
    case 'code':
      return [{ ...plainToken(String(value)), system: impliedSystem(element) }];
    default:
      return typeof value === 'object' ? [] : [plainToken(String(value))];
  }
}

function codingToken({ system, code, display }: Coding, texts: readonly string[]): TokenValue {
  return { system, code, texts: [...texts, ...given(display)], types: [] };
}

function plainToken(code: string | undefined): TokenValue {
  return { system: undefined, code, texts: [], types: [] };
}

/** https://hl7.org/fhir/R4/search.html#date */
export function spansOf({ value, type }: FoundValue): readonly TimeSpan[] {
  switch (type) {
    case 'date':
    case 'dateTime':
    case 'instant':
      return [spanOf(String(value))];
    case 'Period':
      return given(spanOfPeriod(value as Period));
    case 'Timing':
      return given(spanOfTiming(value as Timing));
    default:
      return [];
  }
}

/** An amount with its unit: `low` and `high` are one but for ranges, and Infinity where a range has no end. */
export interface Amount {
  readonly low: number;
  readonly high: number;
  readonly system: string | undefined;
  readonly code: string | undefined;
  readonly unit: string | undefined;
}

/** https://hl7.org/fhir/R4/search.html#number */
export function numbersOf(found: FoundValue): readonly Amount[] {
  return typeof found.value === 'number' ? amountOf({ value: found.value }) : amountsOf(found);
}

/** https://hl7.org/fhir/R4/search.html#quantity; sampled data has no amount. */
export function amountsOf({ value, type }: FoundValue): readonly Amount[] {
  switch (type) {
    case 'Range':
      return rangeOf(value as Range);
    case 'Money': {
      const { value: amount, currency } = value as Money;
      const coded = currency === undefined ? {} : { system: 'urn:iso:std:iso:4217', code: currency };
      return amountOf({ ...(amount === undefined ? {} : { value: amount }), ...coded });
    }
    case 'Quantity':
    case 'Age':
    case 'Count':
    case 'Distance':
    case 'Duration':
      return amountOf(value as Quantity);
    default:
      return [];
  }
}

function amountOf({ value, system, code, unit }: Quantity): readonly Amount[] {
  return value === undefined ? [] : [{ low: value, high: value, system, code, unit }];
}

/** Both ends have one unit: https://hl7.org/fhir/R4/datatypes.html#rng-2. */
function rangeOf({ low, high }: Range): readonly Amount[] {
  if (low?.value === undefined && high?.value === undefined) return [];
  const { system, code, unit } = (low?.value === undefined ? high : low) ?? {};
  return [{ low: low?.value ?? -Infinity, high: high?.value ?? Infinity, system, code, unit }];
}

/** https://hl7.org/fhir/R4/search.html#uri */
export function urisOf({ value }: FoundValue): readonly string[] {
  return typeof value === 'string' ? [value] : [];
}

/** https://hl7.org/fhir/R4/search.html#reference; contained resources are no targets. A bundle refers to what it holds. */
export function referencesOf({ value, element }: FoundValue): readonly ReferenceValue[] {
  if (typeof value === 'string') return value.startsWith('#') ? [] : [toTarget(value)];
  if (element === 'Bundle.entry.resource') {
    const { resourceType, id } = value as FhirResource;
    return id === undefined ? [] : [toTarget(`${resourceType}/${id}`)];
  }
  const { reference, identifier, display } = value as Reference;
  if (reference === undefined && identifier === undefined && display === undefined) return [];
  return [{ ...toTarget(reference?.startsWith('#') === false ? reference : ''), identifier }];
}

function toTarget(text: string): ReferenceValue {
  const [target = '', version] = text.split('/_history/');
  return { target, version, identifier: undefined };
}

/** https://hl7.org/fhir/R4/location.html#search, in degrees. */
export function positionsOf({ value }: FoundValue): readonly Position[] {
  const { latitude, longitude } = value as Partial<Position>;
  return latitude === undefined || longitude === undefined ? [] : [{ latitude, longitude }];
}

interface Position {
  readonly latitude: number;
  readonly longitude: number;
}
