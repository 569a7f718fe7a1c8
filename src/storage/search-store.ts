import type { PartitionScope } from '../model/partition.js';
import type { StoredVersion } from './store.js';

/**
 * What a search asks of a store: which resources of one type or of several, in which order. It holds no SQL and no
 * scope; the scope stands beside it in every call.
 */
export interface SearchPlan {
  /** The type that is searched, or several. */
  readonly type: string | readonly string[];
  readonly where: Condition;
  /** Empty: the store's own order, the one that is cheapest for the plan. It never changes for one plan. */
  readonly sort: readonly SortKey[];
  /** Without sort keys: by age, as the plan may be another one when the next page is asked for. */
  readonly order?: 'age';
  /**
   * Contained resources that are answered too, each as a row of its container (SearchRow.part). The order is the
   * store's own then.
   */
  readonly contained?: ContainedCondition;
}

/** Where resources of a type are indexed. */
export interface TypedPaths {
  readonly type: string;
  readonly paths: readonly string[];
}

/** A condition on one resource of a known type, or of one of the types of the plan. */
export type Condition =
  /** Every one holds; an empty list holds always. */
  | { readonly kind: 'all'; readonly of: readonly Condition[] }
  /** At least one holds; an empty list never holds. */
  | { readonly kind: 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: 'ids'; readonly ids: readonly string[] }
  /** Of one of these types; where a plan is about several. */
  | { readonly kind: 'types'; readonly types: readonly string[] }
  /** When the current version was written. */
  | { readonly kind: 'updated'; readonly test: RangeTest }
  | IndexCondition
  | ElementCondition
  | ContainedCondition
  | ChainCondition
  | HasCondition;

/** The resource has a row on one of the paths that passes one of the tests; without `tests`, any row at all. */
export type IndexCondition =
  | IndexRows<'token', TokenTest | TokenListTest>
  | IndexRows<'string', StringTest>
  | (IndexRows<'date', RangeTest | RangeTests> & {
      /** No resource has more than one row. */
      readonly single?: true;
    })
  | IndexRows<'number', NumberTest>
  | IndexRows<'quantity', QuantityTest>
  | IndexRows<'uri', UriTest>
  | IndexRows<'text', TextTest>
  | (IndexRows<'reference', ReferenceTest> & { readonly targetFilter: string | null });

/** The kinds of index, as HFJ_SP_PATH.SP_TYPE names them. */
export type IndexKind = IndexCondition['index'];

interface IndexRows<Kind extends string, Test> {
  readonly kind: 'index';
  readonly index: Kind;
  /** The type that holds the rows. */
  readonly type: string;
  readonly paths: readonly string[];
  /** Where further types hold them, if the plan is about several. */
  readonly others?: readonly TypedPaths[];
  /** `null` asks for any row; an empty list never holds. */
  readonly tests: readonly Test[] | null;
}

/** What is asked of a component: references within elements are kept as texts. */
export type ComponentCondition = Exclude<IndexCondition, { readonly index: 'reference' | 'text' }>;

/**
 * One and the same element of the resource passes every part; each part is a list of alternatives. The paths are those
 * of rows within elements, see ElementValue.
 */
export interface ElementCondition {
  readonly kind: 'element';
  readonly parts: readonly (readonly ComponentCondition[])[];
}

/**
 * The resource contains one of a type for which a condition holds, https://hl7.org/fhir/R4/search.html#contained. Of a
 * contained resource `has` and `updated` never hold.
 */
export interface ContainedCondition {
  readonly kind: 'contained';
  /** The contained resource's type. */
  readonly type: string;
  /** One of these references leads to it; null: whether it is referred to or not. */
  readonly via: readonly TypedPaths[] | null;
  /** Only within resources of these types, where `via` does not tell. */
  readonly within?: readonly string[];
  readonly where: Condition;
}

/** A reference on one of the paths leads to a resource for which a condition holds. */
export interface ChainCondition {
  readonly kind: 'chain';
  readonly type: string;
  readonly paths: readonly string[];
  /** Where further types have the reference, if the plan is about several. */
  readonly others?: readonly TypedPaths[];
  readonly targets: readonly { readonly type: string; readonly where: Condition }[];
}

/** A resource of another type refers to this one, and a condition holds for it. */
export interface HasCondition {
  readonly kind: 'has';
  /** The type that refers, or several, and where they do; null: anywhere. */
  readonly type: string | readonly string[];
  readonly paths: readonly string[] | null;
  readonly where: Condition;
}

/**
 * `system`: undefined matches every system, null only values without one. `value` undefined: any code of the system.
 * `unequal`: every row but those.
 */
export interface TokenTest {
  readonly system: string | null | undefined;
  readonly value: string | undefined;
  readonly unequal?: true;
}

/** One of many codes of a system; null: of none. Costs one binding, however many there are. */
export interface TokenListTest {
  readonly system: string | null;
  readonly values: readonly string[];
}

/** The words of a resource, of its narrative alone or of everything, fit the query. */
export interface TextTest {
  readonly part: 'narrative' | 'all';
  readonly query: TextQuery;
}

/**
 * What words are looked for; all of them are folded. `phrase`: words that stand one after another, the last of which
 * may be the beginning of one. Every list of `all` has something that is no `not`, and what stands below `any` is not
 * negated as a whole: something to look for is always there.
 */
export type TextQuery =
  | { readonly kind: 'phrase'; readonly words: readonly string[]; readonly prefix: boolean }
  | { readonly kind: 'all' | 'any'; readonly of: readonly TextQuery[] }
  | { readonly kind: 'not'; readonly of: TextQuery };

/**
 * `text` is normalized already, but for `exact`, which compares it to the letter and carries both. `words`: each one
 * is the beginning of a word of the text, in any order.
 */
export type StringTest =
  | { readonly match: 'words'; readonly words: readonly string[] }
  | { readonly match: 'prefix' | 'contains' | 'suffix' | StringComparison; readonly normalized: string }
  | { readonly match: 'exact'; readonly normalized: string; readonly exact: string };

/** How a whole text lies to another, in the order of code points. */
export type StringComparison = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le';

/** The prefixes of https://hl7.org/fhir/R4/search.html#prefix. */
export type Comparison = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap';

/** `co`: the row's range holds all of the searched one. */
export type RangeComparison = Comparison | 'co';

/** A range of time, both ends inclusive, ms since 1970 UTC. `ap` is widened by the planner. */
export interface RangeTest {
  readonly comparison: RangeComparison;
  readonly low: number;
  readonly high: number;
}

/** One row passes all of them. */
export interface RangeTests {
  readonly every: readonly RangeTest[];
}

/** A number: `[low, high)` is its implicit precision (or, for `ap`, the approximation); `value` is compared exactly. */
export interface NumberTest {
  readonly comparison: Comparison;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** What unit a quantity must have: none asked for, by system and code, by code or display, or by canonical unit. */
export type QuantityUnit =
  | { readonly kind: 'any' }
  | { readonly kind: 'code'; readonly system: string; readonly code: string }
  | { readonly kind: 'system'; readonly system: string }
  | { readonly kind: 'label'; readonly label: string }
  | { readonly kind: 'canonical'; readonly unit: string };

/**
 * With a canonical unit the numbers are canonical too. `over: 'range'` is for rows that hold a range (see
 * `derivedPaths`), `place` for rows that hold a latitude and a longitude.
 */
export type QuantityTest =
  | (NumberTest & { readonly unit: QuantityUnit; readonly over?: 'range' })
  | ({ readonly over: 'place' } & Nearness);

/** Within `meters` of a point on earth; degrees. */
export interface Nearness {
  readonly latitude: number;
  readonly longitude: number;
  readonly meters: number;
}

/** The whole URI, any other one, one of many (one binding, however many), or one whose segments begin with `below`. */
export type UriTest =
  | { readonly value: string }
  | { readonly unequal: string }
  | { readonly values: readonly string[] }
  | { readonly below: string };

/** A resource of this server by id (an empty list of types: any), or any other target by URL. */
export type ReferenceTest =
  | { readonly kind: 'local'; readonly types: readonly string[]; readonly id: string }
  /** Resources that were looked up before, by `rowId`. */
  | { readonly kind: 'rows'; readonly rowIds: readonly number[] }
  /** `anyVersion` also matches `url|version`. */
  | { readonly kind: 'url'; readonly url: string; readonly anyVersion: boolean }
  | { readonly kind: 'urlPrefix'; readonly prefix: string }
  /** One of many, to the letter. */
  | { readonly kind: 'urls'; readonly urls: readonly string[] };

/** One key of an order. Resources without a value come last, whichever the direction. */
export type SortKey =
  | { readonly by: 'id' | 'updated'; readonly direction: SortDirection }
  | {
      readonly by: 'index';
      readonly index: Exclude<IndexKind, 'text'>;
      /** Those of the plan's type, or of the first of several. */
      readonly paths: readonly string[];
      /** Of references on these paths, only those to resources of this type count. */
      readonly targetFilter?: string;
      /** Where the other types of the plan have theirs. */
      readonly others?: readonly SortPlace[];
      readonly direction: SortDirection;
    }
  /**
   * How well the words of a resource fit: a whole number up to MOST_RELEVANT, which depends on the resource and on
   * what is looked for, and on nothing else.
   */
  | {
      readonly by: 'relevance';
      readonly test: TextTest;
      readonly paths: readonly string[];
      readonly others?: readonly TypedPaths[];
      readonly direction: SortDirection;
    };

/** Where resources of a type have what they are sorted by. */
export type SortPlace = TypedPaths & { readonly targetFilter?: string };

/** The key of a resource that fits in every respect, where an order is by relevance. */
export const MOST_RELEVANT = 1_000_000;

export type SortDirection = 'ascending' | 'descending';

/** Where a row stands in its order: opaque to callers, text and numbers that survive JSON. */
export type RowKey = readonly (string | number | null)[];

/** One match: the current version, never a deletion. */
export interface SearchRow extends StoredVersion {
  readonly text: string;
  /** The match is what the resource contains at this place, counted from 0. */
  readonly part?: number;
  /** The id of what the resource contains, where `text` is that alone. */
  readonly fragment?: string;
  readonly key: RowKey;
}

/** At most `count` rows after `after` (exclusive). */
export interface SearchWindow {
  readonly count: number;
  readonly after?: RowKey;
  /** `left out`: the texts of all rows are empty, for whoever wants to know which resources they are. */
  readonly texts?: 'left out';
}

/** The beginning of a search, and how far its matches are counted if there are more than `count`. */
export interface FirstWindow {
  readonly count: number;
  readonly countTo: number;
}

/** A page, and how many match in all; `counted` is undefined where the page is not full. */
export interface CountedPage {
  readonly rows: readonly SearchRow[];
  readonly counted: number | undefined;
}

/** Which references to follow, from or to resources that were found. */
export interface IncludeQuery {
  /** `include`: from the found to their targets. `revinclude`: to resources that refer to the found. */
  readonly direction: 'include' | 'revinclude';
  /** The type that holds the reference. */
  readonly sourceType: string;
  /** Where it stands; null means every reference. */
  readonly paths: readonly string[] | null;
  /** Only references to this type. */
  readonly targetType: string | null;
  /** `rowId`s of the resources that were found: `sourceType`'s for `include`, the targets for `revinclude`. */
  readonly from: readonly number[];
  readonly limit: number;
}

/** How a store answers a plan. */
export interface ExplainedStatement {
  /** With a mark in place of every value. */
  readonly sql: string;
  /** What the database does, one line each, without values. */
  readonly steps: readonly string[];
}

/** Search over what the write side has stored. Every call sees the scope and nothing else. */
export interface SearchStore {
  /** Each match once, in the plan's order. @throws FhirError SEARCH_TIMEOUT */
  page(scope: PartitionScope, plan: SearchPlan, window: SearchWindow): Promise<readonly SearchRow[]>;
  /** The page that a search begins with. @throws FhirError SEARCH_TIMEOUT */
  firstPage(scope: PartitionScope, plan: SearchPlan, window: FirstWindow): Promise<CountedPage>;
  /** How many resources match; with `limit` counting stops there. @throws FhirError SEARCH_TIMEOUT */
  count(scope: PartitionScope, plan: SearchPlan, limit?: number): Promise<number>;
  /** At most two matches: enough to tell none, one and several for a conditional interaction. */
  match(scope: PartitionScope, plan: SearchPlan): Promise<readonly SearchRow[]>;
  /** The statement of a page, in each place that has a part of the scope; it is planned, not run. */
  explain(
    scope: PartitionScope,
    plan: SearchPlan,
    window: SearchWindow,
  ): Promise<readonly ExplainedStatement[]>;
  /** Whether copies of values of resources of these types may be others than the values are now, see CopyRule. */
  hasStaleCopies(scope: PartitionScope, types: readonly string[]): Promise<boolean>;
  /** Live resources at the other end of references, each once, at most `limit`. `key` is empty. */
  linked(scope: PartitionScope, query: IncludeQuery): Promise<readonly SearchRow[]>;
}
