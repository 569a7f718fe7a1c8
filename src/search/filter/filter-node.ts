/** https://hl7.org/fhir/R4/search_filter.html#ops */
export const FILTER_OPERATORS = [
  'eq',
  'ne',
  'co',
  'sw',
  'ew',
  'gt',
  'lt',
  'ge',
  'le',
  'ap',
  'sa',
  'eb',
  'pr',
  'po',
  'ss',
  'sb',
  'in',
  'ni',
  're',
] as const;

/** What a test compares with. */
export type FilterOperator = (typeof FILTER_OPERATORS)[number];

/** A filter as it is written, before anything is known of its names. */
export type FilterNode =
  /** Two at least. */
  | { readonly kind: 'and' | 'or'; readonly of: readonly FilterNode[] }
  | { readonly kind: 'not'; readonly of: FilterNode }
  | FilterTest;

/** `path operator value`. */
export interface FilterTest {
  readonly kind: 'test';
  readonly path: FilterPath;
  readonly operator: FilterOperator;
  /** Without quotes and their escapes. */
  readonly value: string;
}

/** One name at least; all but the last one are followed. */
export type FilterPath = readonly [FilterStep, ...FilterStep[]];

/** `name`, `name:Type` or `name[filter]`. */
export interface FilterStep {
  readonly name: string;
  readonly type: string | undefined;
  /** What must hold of what the name leads to. */
  readonly filter: FilterNode | undefined;
  /** Where the name stands, counted from 1 in UTF-16 units. */
  readonly position: number;
}
