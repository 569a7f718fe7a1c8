/** Tokens of one system stand as bare values under an element of their own. */
export interface TokenUplift {
  readonly system: string;
  readonly element: string;
}

/** What the targets of a reference are found by stands with the resource that refers to them, under an element. */
export interface ChainUplift {
  /** A search parameter of the targets. */
  readonly code: string;
  readonly element: string;
}

/** What a search parameter has lifted into indexes of their own. */
export interface Uplifts {
  readonly tokens: readonly TokenUplift[];
  readonly chains: readonly ChainUplift[];
}

/** Kinds of parameter whose values can be lifted. */
export type LiftedKind = 'token' | 'string';

/** Which values of a path are lifted; `system` null: all of them, as they are. Otherwise bare values of that system. */
export interface Lift {
  readonly kind: LiftedKind;
  readonly system: string | null;
  /** The element of a token uplift; undefined: values that resources that refer to this one have a copy of. */
  readonly element?: string;
}

/** Where the lifted values of a path are. Elements and systems have no spaces, so that no two of them are the same. */
export function liftedPath({ element, system }: Lift, path: string): string {
  if (element !== undefined) return `uplift:${element} ${system ?? ''} ${path}`;
  return system === null ? `chained: ${path}` : `chained:${system} ${path}`;
}

/** What is copied from targets of one type. */
export interface CopiedValues {
  readonly element: string;
  /** Of the reference. */
  readonly path: string;
  readonly targetType: string;
  /** Of the target's own lifted values. */
  readonly targetPath: string;
}

/** Where the copies are. */
export function copiedPath({ element, path, targetType, targetPath }: CopiedValues): string {
  return `uplift:${element} ${path} ${targetType} ${targetPath}`;
}

/** Lifted values of a parameter that all data has: what is asked of the parameter may be asked of these instead. */
export interface LiftedPaths {
  readonly tokens: readonly LiftedTokens[];
  readonly chains: readonly LiftedChain[];
}

/** Token rows of bare values. */
export interface LiftedTokens {
  readonly system: string;
  readonly paths: readonly string[];
}

/** Copies of what targets of one type are found by: rows within elements, see ElementValue. */
export interface LiftedChain {
  readonly targetType: string;
  readonly code: string;
  readonly kind: LiftedKind;
  /** Where the target has what is copied. */
  readonly targetPaths: readonly string[];
  readonly paths: readonly string[];
  readonly tokens: readonly LiftedTokens[];
}
