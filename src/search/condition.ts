import type { QueryParameter } from '../model/request.js';
import { splitEscaped } from './escape.js';

/**
 * One text for all ways to write a condition: parameters and alternatives sorted, repeated ones once. Two
 * conditions have the same text only if they ask for the same.
 */
export function canonicalCondition(parameters: readonly QueryParameter[]): string {
  const texts = parameters.map(([name, value]) => {
    const values = [...new Set(splitEscaped(value, ','))].toSorted();
    return `${encodeURIComponent(name)}=${values.map((one) => encodeURIComponent(one)).join(',')}`;
  });
  return [...new Set(texts)].toSorted().join('&');
}
