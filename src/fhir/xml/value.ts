import type { JsonLimits } from '../json.js';

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * The value of an attribute as it stands in JSON; a number whose digits JavaScript would change is marked, for
 * `restoreLiterals`. Undefined for text that is no value of the kind.
 */
export function jsonValue(
  text: string,
  json: 'string' | 'number' | 'boolean',
  { maxNumberLength }: Pick<JsonLimits, 'maxNumberLength'>,
): unknown {
  if (json === 'string') return text;
  if (json === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined;
  if (text.length > maxNumberLength || !NUMBER.test(text)) return undefined;
  const number = Number(text);
  if (!Number.isFinite(number)) return undefined;
  return String(number) === text ? number : `\u0000${text}`;
}
