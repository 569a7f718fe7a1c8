import type { SearchParameter } from '../fhir/index-values.js';
import type { CompartmentTarget, QueryParameter } from '../model/request.js';
import type { OutcomeIssue } from '../model/resource.js';
import type {
  Comparison,
  Nearness,
  RangeTest,
  SortDirection,
  StringComparison,
  TextQuery,
} from '../storage/search-store.js';

/** What is asked of resources of one type. */
export interface TypedSearch {
  readonly resourceType: string;
  /** All of them must hold. */
  readonly criteria: readonly Criterion[];
  readonly sort: readonly SortBy[];
}

/** Where a search was asked for: what its URL says before the question mark. */
export interface SearchPlace {
  /** null: every type there, or those that `_type` names. */
  readonly type: string | null;
  /** https://hl7.org/fhir/R4/compartmentdefinition.html */
  readonly compartment: CompartmentTarget | null;
  /** `$everything` of this type, or of the compartment's resource. */
  readonly everything?: RecordRequest['of'];
}

/** `$everything`: a record is the members of a compartment, or of all, and what they refer to besides. */
export interface RecordRequest {
  readonly of: 'Patient' | 'Encounter';
  /** null: every patient's. */
  readonly id: string | null;
  readonly members: readonly RecordMember[];
  /** Types that only come by references of members. */
  readonly besides: readonly string[];
  /** What is asked for; undefined: all types. */
  readonly types: readonly string[] | undefined;
  /** Dates of care, milliseconds since 1970 UTC, both ends inclusive. */
  readonly care: { readonly low: number; readonly high: number } | undefined;
  /** Milliseconds since 1970 UTC. */
  readonly since: number | undefined;
}

/** A type that has members, where it refers to the compartment's resource, and where it tells the time of care. */
export interface RecordMember {
  readonly type: string;
  readonly paths: readonly string[];
  readonly dates: readonly string[];
}

/** A search as it was asked for, every part known and typed: https://hl7.org/fhir/R4/search.html. */
export interface SearchRequest extends TypedSearch {
  readonly place: SearchPlace;
  /** What is searched instead of types and criteria. */
  readonly record?: RecordRequest;
  /** The same of further types, where the place has several. */
  readonly others: readonly TypedSearch[];
  /** undefined: contained resources are not searched. */
  readonly contained: ContainedSearch | undefined;
  readonly includes: readonly Include[];
  /** Matches per page; 0 asks for the total only. */
  readonly count: number;
  /** How the total is asked for; `undefined` leaves it to the server. */
  readonly total: 'none' | 'estimate' | 'accurate' | undefined;
  readonly summary: SummaryMode | undefined;
  /** Top-level elements to return; empty means all. */
  readonly elements: readonly string[];
  /** The parameters that were applied, for the self link, in the order of the request. */
  readonly applied: readonly QueryParameter[];
  /** What the client must know: what lenient handling left out, and what is not indexed for all data. */
  readonly ignored: readonly OutcomeIssue[];
  /** When it was asked for first, milliseconds since 1970 UTC; `ap` of dates is measured from there. */
  readonly asOf: number;
}

/** https://hl7.org/fhir/R4/search.html#contained */
export interface ContainedSearch {
  /** Contained resources alone, or others besides. */
  readonly mode: 'true' | 'both';
  /** Whether a contained resource comes as what contains it, or by itself. */
  readonly as: 'container' | 'contained';
}

/** https://hl7.org/fhir/R4/search.html#summary */
export type SummaryMode = 'true' | 'text' | 'data' | 'count' | 'false';

/** One search parameter with its values. */
export type Criterion =
  | ValueCriterion
  | { readonly kind: 'missing'; readonly parameter: SearchParameter; readonly missing: boolean }
  | {
      readonly kind: 'chain';
      readonly parameter: SearchParameter;
      readonly targets: readonly ChainTarget[];
      /** Copies of all the targets' values that are asked for, where there are any: see `liftChain`. */
      readonly copies?: readonly CopiedValues[];
    }
  /** Followed to contained resources alone. */
  | { readonly kind: 'within'; readonly parameter: SearchParameter; readonly targets: readonly ChainTarget[] }
  /** It belongs to a compartment: by a reference on one of the paths, or as the compartment's own resource. */
  | {
      readonly kind: 'member';
      readonly compartment: CompartmentTarget;
      readonly isOwn: boolean;
      readonly paths: readonly string[];
    }
  | {
      readonly kind: 'has';
      readonly type: string;
      readonly parameter: SearchParameter;
      readonly criterion: Criterion;
    }
  /** Parts of a filter. */
  | { readonly kind: 'all' | 'any'; readonly of: readonly Criterion[] }
  | { readonly kind: 'not'; readonly of: Criterion };

/** `values` are alternatives. `negated` is `:not` and `:not-in`. */
export interface ValueCriterion {
  readonly kind: 'values';
  readonly parameter: SearchParameter;
  readonly values: readonly SearchValue[];
  readonly negated: boolean;
}

/** What is asked of copies of values; the paths of the parameter are those of the copies. */
export interface CopiedValues {
  readonly parameter: SearchParameter;
  readonly values: readonly SearchValue[];
}

/** What the last part of a chain asks of one of the types that the reference may lead to. */
export interface ChainTarget {
  readonly type: string;
  readonly criterion: Criterion;
}

/** One value of a parameter. */
export type SearchValue =
  | { readonly kind: 'id'; readonly id: string }
  /** `unequal`: any other token. */
  | {
      readonly kind: 'token';
      readonly system: string | null | undefined;
      readonly code: string | undefined;
      readonly unequal?: true;
    }
  /** `:in`: the codes of a value set, by canonical or `ValueSet/id`. `name` is the parameter's, as it was written. */
  | { readonly kind: 'value-set'; readonly name: string; readonly reference: string }
  /** `:above` and `:below`: a code, and those that it stands below or above. */
  | {
      readonly kind: 'related';
      readonly name: string;
      readonly direction: 'above' | 'below';
      readonly system: string;
      readonly code: string;
    }
  /** What `resolveSearch` makes of the two before. */
  | { readonly kind: 'token-list'; readonly system: string | null; readonly codes: readonly string[] }
  | { readonly kind: 'string'; readonly match: StringMatch; readonly text: string }
  | ({ readonly kind: 'date' } & RangeTest)
  | ({ readonly kind: 'number' } & ComparedNumber)
  | ({
      readonly kind: 'quantity';
      readonly system: string | null;
      readonly code: string | null;
    } & ComparedNumber)
  | { readonly kind: 'uri'; readonly uri: string; readonly match: UriMatch | 'unequal' }
  /** `types` is empty where any type is meant. `version`: only references to that version. */
  | {
      readonly kind: 'local';
      readonly types: readonly string[];
      readonly id: string;
      readonly version?: string;
    }
  | { readonly kind: 'url'; readonly url: string; readonly match: UriMatch }
  /** A resource with everything above or below it; looked up before the search is planned. */
  | {
      readonly kind: 'hierarchy';
      readonly direction: 'above' | 'below';
      readonly levels: readonly HierarchyLevel[];
      readonly id: string;
    }
  /** Resources that were looked up before the search was planned, by `rowId`. */
  | { readonly kind: 'rows'; readonly rowIds: readonly number[] }
  /** Canonical URLs that were looked up before, to the letter. */
  | { readonly kind: 'urls'; readonly urls: readonly string[] }
  | ({ readonly kind: 'near' } & Nearness)
  /** Of `_text` and `_content`. */
  | { readonly kind: 'text'; readonly query: TextQuery }
  /** One value for each component of a composite parameter, in their order. */
  | { readonly kind: 'composite'; readonly parts: readonly SearchValue[] };

/** A type whose resources are parts of one another, and the paths of the references that say so. */
export interface HierarchyLevel {
  readonly type: string;
  readonly paths: readonly string[];
}

/** `words`: each one begins a word of the text. */
export type StringMatch = 'prefix' | 'exact' | 'contains' | 'words' | 'suffix' | StringComparison;

/** `below` and `above` go by path segments of the URI and by parts of a version. */
export type UriMatch = 'exact' | 'below' | 'above';

/** `[low, high)` is the implicit precision of the number as it was written. */
export interface ComparedNumber {
  readonly comparison: Comparison;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** `_include` and `_revinclude`. */
export interface Include {
  readonly direction: 'include' | 'revinclude';
  /** Applies to included resources too. */
  readonly iterate: boolean;
  readonly sourceType: string;
  /** null is the wildcard. */
  readonly parameter: SearchParameter | null;
  readonly targetType: string | null;
}

/** One part of `_sort`. */
export interface SortBy {
  readonly parameter: SearchParameter;
  readonly direction: SortDirection;
}

/** How much one search may ask for. */
export interface SearchLimits {
  /** Matches per page when the request has no `_count`. */
  readonly defaultCount: number;
  /** A larger `_count` is served as this. */
  readonly maxCount: number;
  readonly maxParameters: number;
  /** Alternatives in all parameters together. */
  readonly maxValues: number;
  /** How many references a chain, and a `_has`, may follow. */
  readonly maxChain: number;
  /** Resources that `_include` and `_revinclude` may add to a page. */
  readonly maxIncluded: number;
  /** Without `_total`, counting stops here and the total is left out. */
  readonly maxCounted: number;
  /** Codes that value sets and code systems may put in place of a search's values, all together. */
  readonly maxCodes: number;
}

export const DEFAULT_SEARCH_LIMITS: SearchLimits = {
  defaultCount: 20,
  maxCount: 1000,
  maxParameters: 64,
  maxValues: 200,
  maxChain: 5,
  maxIncluded: 1000,
  maxCounted: 1000,
  maxCodes: 50_000,
};
