import type { LiftedPaths } from './uplift.js';

/**
 * The values that a resource is found by, as extraction hands them to storage. Each value names the `path` it
 * came from (one row per path, not per search-parameter code: `patient` and `subject` share a path and differ
 * at query time). Times are milliseconds since 1970 UTC, both ends inclusive.
 */
export interface IndexValues {
  readonly tokens: readonly TokenValue[];
  readonly strings: readonly StringValue[];
  readonly dates: readonly DateValue[];
  readonly numbers: readonly NumberValue[];
  readonly quantities: readonly QuantityValue[];
  readonly uris: readonly UriValue[];
  readonly references: readonly ReferenceValue[];
  /** What composite parameters find in elements that repeat, and all that is found in contained resources. */
  readonly elements: readonly ElementValue[];
  /** At most one; none where full text search is off. */
  readonly texts: readonly TextValue[];
}

/** Of what nothing is indexed: a deletion, or nothing at all. */
export const NO_INDEX_VALUES: IndexValues = {
  tokens: [],
  strings: [],
  dates: [],
  numbers: [],
  quantities: [],
  uris: [],
  references: [],
  elements: [],
  texts: [],
};

/**
 * `system` is null where the value has none. `value` is empty where an element has no code (text only): nothing
 * asks for it, but the element is there for `:missing`, and its system for `system|`.
 */
export interface TokenValue {
  readonly path: string;
  readonly system: string | null;
  readonly value: string;
}

/** `normalized` is what ordinary string search compares: lower case, without accents. Both at most 512 characters. */
export interface StringValue {
  readonly path: string;
  readonly normalized: string;
  readonly exact: string;
}

/** An open end is -8.64e15 or 8.64e15. */
export interface DateValue {
  readonly path: string;
  readonly low: number;
  readonly high: number;
}

/** The implicit range of a search value is judged at query time (https://hl7.org/fhir/R4/search.html#number). */
export interface NumberValue {
  readonly path: string;
  readonly value: number;
}

/** `canonical*` is the value in UCUM base units, null where the unit is not UCUM. */
export interface QuantityValue {
  readonly path: string;
  readonly value: number;
  readonly system: string | null;
  readonly code: string | null;
  readonly unit: string | null;
  readonly canonicalValue: number | null;
  readonly canonicalUnit: string | null;
}

export interface UriValue {
  readonly path: string;
  readonly value: string;
}

/**
 * A literal reference to a resource of this server (`type` and `id`), or any other reference as `url`
 * (absolute URL, `urn:`, canonical with its `|version`). A reference that nothing can be asked of (contained,
 * an identifier or a display only) has the url UNNAMED_TARGET: it is there for `:missing`.
 */
export interface ReferenceValue {
  readonly path: string;
  readonly type: string | null;
  readonly id: string | null;
  readonly url: string | null;
}

/**
 * One value in an element that repeats. Values of one resource with the same `element` stand in the same one. What the
 * columns hold depends on the kind of the component, which its path tells: `value` is a code, a normalized text, a
 * URI, `Type/id` or the unit of a quantity; `low` and `high` are the ends of a time, a number, or the value of a
 * quantity with its canonical value; `unit` and `canonicalUnit` are those of a quantity.
 */
export interface ElementValue {
  readonly path: string;
  /** The type whose path it is, where the value is from a contained resource. */
  readonly of?: string;
  readonly element: number;
  readonly value: string;
  readonly system: string | null;
  readonly low: number;
  readonly unit: string;
  readonly high: number | null;
  readonly canonicalUnit: string | null;
}

/**
 * The words that a resource is found by in full text search, folded, in their order, with an empty one between two
 * elements: those of the narrative, and those of all other elements that people read.
 */
export interface TextValue {
  readonly path: string;
  readonly narrative: readonly string[];
  readonly content: readonly string[];
}

/** The `url` of a reference to something without a name of its own. */
export const UNNAMED_TARGET = '#';

/** The nine kinds of search parameter, https://hl7.org/fhir/R4/search.html#ptypes. */
export type SearchParameterType =
  'number' | 'date' | 'string' | 'token' | 'reference' | 'composite' | 'quantity' | 'uri' | 'special';

/** One search parameter as it applies to one resource type. */
export interface SearchParameter {
  readonly code: string;
  readonly url: string;
  readonly type: SearchParameterType;
  /** The paths whose rows answer it (an OR); empty for parameters that are not indexed (`_id`, `_text`, …). */
  readonly paths: readonly string[];
  /** There is one path, and no resource has two values there. */
  readonly single?: true;
  /** Reference parameters: the resource types it may point to; empty means any. */
  readonly targets: readonly string[];
  /** Reference parameters: only rows whose target is of this type count (`patient` on the path of `subject`). */
  readonly targetFilter: string | null;
  /** FHIRPath expression, as published. */
  readonly expression: string;
  /** FHIR types of the values on the paths; empty where they are not known before a resource is seen. */
  readonly valueTypes: readonly string[];
  /** Composite parameters: the elements whose values belong together; empty where they are not indexed. */
  readonly roots?: readonly CompositeRoot[];
  /** What is lifted of it for all data; there, though empty, where it is still to be lifted for older data. */
  readonly lifted?: LiftedPaths;
}

/**
 * One kind of element in which the values of a composite parameter belong together
 * (https://hl7.org/fhir/R4/search.html#combining): each component as a parameter, in the order of the definition.
 */
export interface CompositeRoot {
  readonly components: readonly CompositeComponent[];
}

/** `within` the resource: its own rows answer it. Within the element: all such components hold for the same one. */
export interface CompositeComponent extends SearchParameter {
  readonly within: 'resource' | 'element';
}
