import { splitEscaped, unescape } from './escape.js';
import { invalidParameter, type ParameterContext } from './parse-context.js';
import type { SearchValue } from './search-request.js';

/**
 * The value of a token with `:in`, `:not-in`, `:above` or `:below`, still escaped:
 * https://hl7.org/fhir/R4/search.html#token. Its codes are looked up by `resolveSearch`.
 * @throws FhirError INVALID_SEARCH
 */
export function parseCodes(
  text: string,
  codes: 'value-set' | 'above' | 'below',
  context: ParameterContext,
): SearchValue {
  const { name } = context;
  if (codes === 'value-set') return { kind: 'value-set', name, reference: toReference(text, context) };
  const [system = '', code = '', ...more] = splitEscaped(text, '|').map(unescape);
  if (system === '' || code === '' || more.length > 0)
    throw invalidParameter(name, `:${codes} takes system|code: the system says what is ${codes} the code.`);
  return { kind: 'related', name, direction: codes, system, code };
}

/** A value set of this server by its own URL is one by id. The bar of `url|version` may be escaped or not. */
function toReference(text: string, { name, toLocal }: ParameterContext): string {
  const url = splitEscaped(text, '|').map(unescape).join('|');
  const local = toLocal(url);
  if (local?.type === 'ValueSet') return `ValueSet/${local.id}`;
  if (url.includes(':') || /^ValueSet\/[A-Za-z0-9.-]{1,64}$/.test(url)) return url;
  throw invalidParameter(
    name,
    `"${text.slice(0, 80)}" is no value set: use its canonical URL or ValueSet/id.`,
  );
}
