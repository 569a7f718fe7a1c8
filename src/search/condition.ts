import { FhirError } from '../model/errors.js';
import type { QueryParameter } from '../model/request.js';
import { splitEscaped } from './escape.js';

/** The parameters of a query string, decoded, in order. `+` is a space, as in forms. */
export function parseQuery(query: string): readonly QueryParameter[] {
  return [...new URLSearchParams(query)];
}

/** The parameters of a conditional URL: `identifier=x`, `?identifier=x` or `Patient?identifier=x`. @throws FhirError INVALID_REQUEST */
export function parseCondition(resourceType: string, condition: string): readonly QueryParameter[] {
  const mark = condition.indexOf('?');
  const type = mark < 0 ? '' : condition.slice(0, mark);
  if (type !== '' && type !== resourceType && /^[A-Za-z]+$/.test(type)) {
    throw new FhirError('INVALID_REQUEST', `The condition is about ${type}, not about ${resourceType}.`);
  }
  const hasType = type === resourceType || mark === 0;
  return parseQuery(hasType ? condition.slice(mark + 1) : condition);
}

/**
 * One text for all ways to write a condition: parameters and alternatives sorted, repeated ones once. Two
 * conditions have the same text only if they ask for the same.
 * @throws FhirError INVALID_REQUEST where the condition names another type
 */
export function canonicalCondition(resourceType: string, condition: string): string {
  const parameters = parseCondition(resourceType, condition).map(([name, value]) => {
    const values = [...new Set(splitEscaped(value, ','))].toSorted();
    return `${encodeURIComponent(name)}=${values.map(encodeURIComponent).join(',')}`;
  });
  return [...new Set(parameters)].toSorted().join('&');
}
