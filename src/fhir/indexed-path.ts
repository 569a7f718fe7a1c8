import type { Walk } from './expression/steps.js';
import type { SearchParameter, SearchParameterType } from './index-values.js';
import type { SearchComponent } from './r4/compact.js';
import type { Lift } from './uplift.js';

/** The kinds of search parameter that have index rows; each kind has rows of its own. */
export type IndexKind = Exclude<SearchParameterType, 'composite' | 'special'>;

/** A search parameter as the registry knows it. */
export interface RegisteredSearchParameter extends SearchParameter {
  readonly description: string;
  /** Parts of a composite parameter; empty for others. */
  readonly components: readonly SearchComponent[];
}

/**
 * One path whose values are indexed: unique by kind and path within a resource type. Without `walk`, the
 * compiler did not know the expression and the FHIRPath engine evaluates `expression`.
 */
export interface IndexedPath {
  readonly kind: IndexKind | 'composite';
  readonly path: string;
  readonly walk: Walk | undefined;
  readonly expression: string;
  /** Of kind `composite`: a component within the elements that `walk`, or else `expression`, leads to. */
  readonly component?: IndexedComponent;
  /** Rows of lifted values beside the ordinary ones: token rows, or those of one element, which is the resource. */
  readonly lift?: Lift;
}

/** A component of a composite parameter whose root repeats. */
export interface IndexedComponent {
  readonly kind: IndexKind;
  /** From the element on; undefined where the engine evaluates the elements and `expression` in them. */
  readonly walk: Walk | undefined;
  readonly expression: string;
}

/** What one definition means for one resource type. */
export interface BoundParameter {
  readonly parameter: RegisteredSearchParameter;
  readonly indexed: readonly IndexedPath[];
}
