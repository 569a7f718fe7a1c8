/** Splits at a separator that no backslash stands before. Escapes stay in the parts. */
export function splitEscaped(text: string, separator: ',' | '|' | '$'): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '\\') index++;
    else if (text[index] === separator) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  return [...parts, text.slice(start)];
}

/** Takes the backslashes of `\,` `\|` `\$` and `\\` away (https://hl7.org/fhir/R4/search.html#escaping). */
export function unescape(text: string): string {
  return text.replaceAll(/\\([,|$\\])/g, '$1');
}
