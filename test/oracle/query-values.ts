import type { FhirResource } from 'fhir/r4.js';
import type { SearchParameterDefinition } from '../../src/fhir/r4/compact.js';
import { evaluateOn, evaluateWithin, type FoundValue } from './fhir-expression.js';
import {
  amountsOf,
  numbersOf,
  positionsOf,
  referencesOf,
  spansOf,
  stringsOf,
  tokensOf,
  urisOf,
  type Amount,
  type ReferenceValue,
} from './parameter-values.js';
import { wordsIn } from './matching.js';
import { componentsOf } from './parameters.js';
import { escapeValue, PREFIXES } from './query-text.js';
import { RELATED_CODES, VALUE_SET_URLS } from './sample-codes.js';

const MODIFIERS: Readonly<Record<string, readonly string[]>> = {
  string: ['exact', 'contains', 'text'],
  token: ['not', 'text', 'of-type', 'in', 'not-in', 'above', 'below'],
  reference: ['identifier', 'above', 'below'],
  uri: ['above', 'below'],
};

/** The modifiers of a type of parameter, `:missing` and `:[type]` besides, that the oracle can judge. */
export function modifiersOf(type: string): readonly string[] {
  return MODIFIERS[type] ?? [];
}

/** What may be asked of a resource: values that the parameter finds in it, in all the ways to write them. */
export function textsIn(
  resource: FhirResource,
  definition: SearchParameterDefinition,
  modifier?: string,
): readonly string[] {
  const texts = evaluateOn(resource, definition.expression).flatMap((found) =>
    definition.type === 'composite'
      ? compositeTexts(definition, (expression) => evaluateWithin(resource, found, expression))
      : textsOf(definition, found, modifier),
  );
  return texts.filter((text) => text !== '');
}

/** What may be asked of a value, escaped. */
function textsOf(
  definition: SearchParameterDefinition,
  found: FoundValue,
  modifier?: string,
): readonly string[] {
  if (definition.code === '_id') return [String(found.value)];
  switch (definition.type) {
    case 'string':
      return stringsOf(found)
        .flatMap(modifier === 'text' ? someWords : pieces)
        .map(escapeValue);
    case 'token':
      return tokensOf(found).flatMap((token) => tokenTexts(token, modifier));
    case 'uri':
      return urisOf(found)
        .filter((uri) => modifier === undefined || uri.startsWith('http'))
        .map(escapeValue);
    case 'date':
      return spansOf(found).flatMap(({ from, to }) => prefixed([from, to].flatMap(dateTexts)));
    case 'number':
      return prefixed(numbersOf(found).flatMap(endsOf).flatMap(numberTexts));
    case 'quantity':
      return amountsOf(found).flatMap(quantityTexts);
    case 'reference':
      return referencesOf(found).flatMap((one) => referenceTexts(one, modifier));
    case 'special':
      return positionsOf(found).flatMap(positionTexts);
    default:
      return [];
  }
}

function compositeTexts(
  composite: SearchParameterDefinition,
  evaluate: (expression: string) => readonly FoundValue[],
): string[] {
  const parts = componentsOf(composite).map(({ definition, expression }) =>
    evaluate(expression)
      .flatMap((found) => textsOf(definition, found))
      .filter((text) => text !== ''),
  );
  const longest = Math.max(...parts.map((texts) => texts.length));
  if (parts.some((texts) => texts.length === 0)) return [];
  return Array.from({ length: longest }, (_, at) => parts.map((texts) => texts[at % texts.length]).join('$'));
}

function pieces(text: string): string[] {
  const letters = [...text];
  const middle = letters.slice(1, 4).join('').trim();
  const start = letters.slice(0, 3).join('').trim();
  const bare = text.normalize('NFD').replaceAll(/\p{M}/gu, '');
  return [text, start, middle, text.toUpperCase(), bare.toLowerCase(), text.normalize('NFD')];
}

/** Words of a text and beginnings of them, in any order. */
function someWords(text: string): string[] {
  const words = wordsIn(text);
  const starts = words.map((word) => [...word].slice(0, 2).join(''));
  return [...words, ...starts, words.toReversed().join(' '), starts.join(' ')];
}

function tokenTexts(
  { system, code, texts, types }: ReturnType<typeof tokensOf>[number],
  modifier: string | undefined,
): string[] {
  if (modifier === 'text') return texts.flatMap(pieces).map(escapeValue);
  if (modifier === 'in' || modifier === 'not-in') return [...VALUE_SET_URLS];
  if (modifier === 'above' || modifier === 'below') return [...RELATED_CODES];
  const value = escapeValue(code ?? '');
  if (modifier === 'of-type')
    return types.flatMap((one) =>
      one.system && one.code && code ? [`${escapeValue(one.system)}|${escapeValue(one.code)}|${value}`] : [],
    );
  const known = system === undefined ? [] : [`${escapeValue(system)}|${value}`, `${escapeValue(system)}|`];
  return code === undefined ? known : [value, `|${value}`, ...known];
}

function prefixed(texts: readonly string[]): string[] {
  return texts.flatMap((text) => ['', ...PREFIXES].map((prefix) => prefix + text));
}

function dateTexts(time: number): string[] {
  if (!Number.isFinite(time)) return [];
  const text = new Date(time).toISOString();
  return /^\d{4}-/.test(text)
    ? [4, 7, 10, 16, 19].map((length) => withZone(text.slice(0, length))).concat(text)
    : [];
}

function withZone(text: string): string {
  return text.length > 10 ? `${text}Z` : text;
}

function numberTexts(number: number): string[] {
  return [String(number), number.toFixed(2), number.toFixed(1), number.toFixed(0)];
}

function endsOf({ low, high }: Amount): number[] {
  return [...new Set([low, high])].filter((end) => Number.isFinite(end));
}

function quantityTexts(amount: Amount): string[] {
  const { system, code, unit } = amount;
  const numbers = prefixed(endsOf(amount).flatMap(numberTexts));
  const suffixes = [
    '',
    ...[code, unit].flatMap((word) => (word === undefined ? [] : [`||${escapeValue(word)}`])),
    ...(system === undefined || code === undefined ? [] : [`|${escapeValue(system)}|${escapeValue(code)}`]),
  ];
  const converted =
    code === 'g' && system
      ? prefixed(endsOf(amount).map((end) => String(end * 1000))).map((text) => `${text}|${system}|mg`)
      : [];
  return [...numbers.flatMap((number) => suffixes.map((suffix) => number + suffix)), ...converted];
}

function referenceTexts(value: ReferenceValue, modifier: string | undefined): string[] {
  const { target, version, identifier } = value;
  if (modifier === 'identifier') {
    if (identifier === undefined) return [];
    const token = { value: identifier, type: 'Identifier', element: '', path: '' };
    return tokensOf(token).flatMap((one) => tokenTexts(one, undefined));
  }
  const [, type = '', id] = /^([A-Za-z]+)\/([A-Za-z0-9.-]+)$/.exec(target) ?? [];
  if (modifier !== undefined) return PARTED.has(type) ? [target] : [];
  const versioned = version === undefined ? [] : [`${target}/_history/${version}`];
  return [escapeValue(target), ...(id === undefined ? [] : [id]), ...versioned];
}

/** Types whose resources are parts of one another. */
const PARTED = new Set(['Organization', 'Location', 'Encounter']);

function positionTexts({ latitude, longitude }: ReturnType<typeof positionsOf>[number]): string[] {
  const here = `${latitude}|${longitude}`;
  return [`${here}|1|km`, `${here}|50|km`, `${here}|50|[mi_us]`, `${latitude + 0.3}|${longitude}|30`];
}
