import type { Resource } from '../model/resource.js';
import type { Condition } from './condition.js';

/** Characters that a search value escapes: an identifier with one of them is left to the search in the store. */
const ESCAPED = /[\\,|$]/;

/**
 * The business identifiers of what a transaction stores. Conditional references are resolved after the other
 * entries are processed (https://hl7.org/fhir/R4/http.html#trules), when no search finds their resources yet; in
 * practice they are all written as `identifier=system|value`.
 */
export class TransactionIdentifiers {
  private readonly references = new Map<string, Set<string>>();

  /** `reference` is what the resource will be known by. */
  add({ resourceType, identifier }: Resource, reference: string): void {
    if (!Array.isArray(identifier)) return;
    for (const one of identifier) {
      const token = tokenOf(one);
      if (token === undefined) continue;
      const key = `${resourceType} ${token}`;
      this.references.set(key, (this.references.get(key) ?? new Set()).add(reference));
    }
  }

  /** References of the resources that match the condition, as far as an identifier decides it. */
  matching({ type, parameters }: Condition): readonly string[] {
    const [only, ...more] = parameters;
    if (only?.[0] !== 'identifier' || more.length > 0) return [];
    return [...(this.references.get(`${type} ${only[1]}`) ?? [])];
  }
}

function tokenOf(identifier: unknown): string | undefined {
  const { system, value } = (identifier ?? {}) as { readonly system?: unknown; readonly value?: unknown };
  if (typeof system !== 'string' || typeof value !== 'string') return undefined;
  return ESCAPED.test(system) || ESCAPED.test(value) ? undefined : `${system}|${value}`;
}
