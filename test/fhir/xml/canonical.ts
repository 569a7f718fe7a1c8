import { numberText } from '../../../src/fhir/json.js';

/** A value as text that is the same for every order of members, with the digits of its numbers. */
export function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const parts = Object.keys(value)
    .toSorted()
    .filter((key) => (value as Record<string, unknown>)[key] !== undefined)
    .map((key) => `${JSON.stringify(key)}:${memberText(value, key)}`);
  return Array.isArray(value) ? `[${parts.join(',')}]` : `{${parts.join(',')}}`;
}

function memberText(holder: object, key: string): string {
  return numberText(holder, key) ?? canonical((holder as Record<string, unknown>)[key]);
}
