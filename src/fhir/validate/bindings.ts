import { requiredValueSets } from '../definitions.js';

/** The codes of a value set that an element is bound to. */
export interface BoundCodes {
  /** Canonical URL of the value set, for messages. */
  readonly valueSet: string;
  /** Codes of any system, for elements of type code. */
  readonly codes: ReadonlySet<string>;
  /** Codes by their system, for elements of type Coding and CodeableConcept. */
  readonly bySystem: ReadonlyMap<string, ReadonlySet<string>>;
}

const known = new Map<string, BoundCodes | undefined>();

/** The codes of a value set with a required binding; undefined if they cannot be listed (languages, UCUM). */
export function boundCodes(valueSet: string): BoundCodes | undefined {
  if (!known.has(valueSet)) known.set(valueSet, makeBoundCodes(valueSet));
  return known.get(valueSet);
}

function makeBoundCodes(valueSet: string): BoundCodes | undefined {
  const systems = requiredValueSets()[valueSet];
  if (!systems) return undefined;
  const bySystem = new Map(Object.entries(systems).map(([system, codes]) => [system, new Set(codes)]));
  return { valueSet, bySystem, codes: new Set(Object.values(systems).flat()) };
}
