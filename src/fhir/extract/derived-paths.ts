/**
 * Further rows of a path stand under names of their own in the tables that exist: what a modifier looks at, or what
 * one row of the path could not hold.
 */
export interface DerivedPaths {
  /** String rows: what is written beside a code, for `:text`. */
  readonly text: string;
  /** Token rows `code|value`: an Identifier with one of its types, for `:of-type`. */
  readonly ofType: string;
  /** Token rows: the Identifier of a Reference, for `:identifier`. */
  readonly identifier: string;
  /** URI rows `Type/id/_history/version`: a Reference to one version. */
  readonly version: string;
  /** Quantity rows of a Range: the low end as value, the high end as canonical value. */
  readonly range: string;
  /** URI rows `#fragment`: the last part of a URI. */
  readonly fragment: string;
}

const known = new Map<string, DerivedPaths>();

/** The names that are derived of a path. Paths are few and come again with every resource. */
export function derivedPaths(path: string): DerivedPaths {
  const paths = known.get(path) ?? {
    text: `${path}#text`,
    ofType: `${path}#of-type`,
    identifier: `${path}#identifier`,
    version: `${path}#version`,
    range: `${path}#range`,
    fragment: `${path}#fragment`,
  };
  known.set(path, paths);
  return paths;
}

/**
 * The same Identifier once more, under the type that its Reference leads to, so that `patient:identifier` does not
 * find groups; undefined where the Reference does not tell its type.
 */
export function typedIdentifierPath(path: string, type: string | undefined): string {
  return `${derivedPaths(path).identifier}:${type ?? ''}`;
}

/** What stands for the high end of a range without one and, negative, for the low end: beyond every amount. */
export const BEYOND = 1e308;
