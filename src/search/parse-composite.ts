import { splitEscaped } from './escape.js';
import { toSyntax, type ValueSyntax } from './modifiers.js';
import { invalidParameter, type ParameterContext } from './parse-context.js';
import { parseValue } from './parse-value.js';
import type { SearchValue } from './search-request.js';

/**
 * One value of a composite parameter, `a$b`, still escaped: https://hl7.org/fhir/R4/search.html#combining. Each part
 * is written as its own parameter has it, prefixes included.
 * @throws FhirError INVALID_SEARCH
 */
export function parseComposite(text: string, syntax: ValueSyntax, context: ParameterContext): SearchValue {
  const components = syntax.parameter.roots?.[0]?.components ?? [];
  const texts = splitEscaped(text, '$');
  if (texts.length !== components.length) {
    const form = components.map(({ code, type }) => `${code} (${type})`).join('$');
    throw invalidParameter(context.name, `write ${components.length} values with "$" between them: ${form}.`);
  }
  const parts = components.map((component, at) =>
    parseValue(texts[at] ?? '', toSyntax(component, undefined, context), context),
  );
  return { kind: 'composite', parts };
}
