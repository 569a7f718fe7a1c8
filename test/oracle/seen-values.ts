import type { FhirResource } from 'fhir/r4.js';
import type { SearchParameterDefinition } from '../../src/fhir/r4/compact.js';
import { evaluateOn, type FoundValue } from './fhir-expression.js';
import * as match from './matching.js';
import * as values from './parameter-values.js';

/** Whether a token is what is asked for, below the modifier that there may be. */
export function isToken(
  value: values.TokenValue,
  text: string,
  { type, modifier }: { readonly type: string; readonly modifier: string | undefined },
): boolean {
  switch (modifier) {
    case 'text':
      return match.isTokenText(value, text);
    case 'of-type':
      return match.isOfType(value, text);
    case 'in':
    case 'not-in':
      return match.isInSet(value, text, type);
    case 'above':
    case 'below':
      return match.isRelated(value, text, { type, modifier });
    default:
      return match.isToken(value, text);
  }
}

/** A reference that does not tell its type may lead to any, though nobody can resolve it. */
export function identifiedBy(
  resource: FhirResource,
  { expression }: SearchParameterDefinition,
): readonly FoundValue[] {
  const [, type] = /resolve\(\) is (\w+)/.exec(expression) ?? [];
  const found = evaluateOn(resource, expression.replaceAll(/\.where\(resolve\(\) is \w+\)/g, ''));
  return found.filter((one) =>
    values
      .referencesOf(one)
      .some(({ target }) => type === undefined || target === '' || target.includes(`${type}/`)),
  );
}

/** What a search can see of a value at all, which is what `:missing` asks for. */
export function seenOf({ type }: SearchParameterDefinition, found: FoundValue): readonly unknown[] {
  switch (type) {
    case 'string':
      return values.stringsOf(found);
    case 'token':
      return values.tokensOf(found);
    case 'uri':
      return values.urisOf(found);
    case 'date':
      return values.spansOf(found);
    case 'number':
      return values.numbersOf(found);
    case 'quantity':
      return values.amountsOf(found);
    case 'reference':
      return values.referencesOf(found);
    default:
      return [found];
  }
}
