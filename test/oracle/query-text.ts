/** Splits at a separator that no backslash stands before; the parts stay escaped. */
export function splitUnescaped(text: string, separator: ',' | '|' | '$'): string[] {
  const parts = [''];
  for (let at = 0; at < text.length; at++) {
    const sign = text[at] ?? '';
    if (sign === separator) parts.push('');
    else parts[parts.length - 1] += sign === '\\' ? sign + (text[++at] ?? '') : sign;
  }
  return parts;
}

/** https://hl7.org/fhir/R4/search.html#escaping */
export function unescapeValue(text: string): string {
  return text.replaceAll(/\\([\\,$|])/g, '$1');
}

export function escapeValue(text: string): string {
  return text.replaceAll(/[\\,$|]/g, String.raw`\$&`);
}

/** The prefixes of https://hl7.org/fhir/R4/search.html#prefix. */
export const PREFIXES = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'] as const;
export type Prefix = (typeof PREFIXES)[number];

/** Takes the prefix off a number or date. */
export function splitPrefix(text: string): { readonly prefix: Prefix; readonly text: string } {
  const prefix = PREFIXES.find((one) => text.startsWith(one));
  return prefix === undefined ? { prefix: 'eq', text } : { prefix, text: text.slice(2) };
}
