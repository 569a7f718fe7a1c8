import { FhirError } from '../../model/errors.js';

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const SPECIAL = /[&<>"\u0000-\u001f\ufffe\uffff]/;
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const EACH_SPECIAL = /[&<>"\u0000-\u001f\ufffe\uffff]/g;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/**
 * Text as it stands between double quotes, white space as references: XML makes a space of every other.
 * @throws FhirError NOT_ACCEPTABLE for a character that XML 1.0 cannot hold
 */
export function escapeValue(text: string): string {
  return SPECIAL.test(text) ? text.replace(EACH_SPECIAL, escapeOf) : text;
}

/** Text as it stands between tags, where white space stays as it is. */
export function escapeText(text: string): string {
  return text.replace(/[&<>]/g, escapeOf);
}

function escapeOf(character: string): string {
  const escape = ESCAPES[character];
  if (escape !== undefined) return escape;
  const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  throw notInXml(`it has the character U+${code}, which XML cannot hold`);
}

/** The error for a resource that can be written as JSON only. */
export function notInXml(reason: string): FhirError {
  return new FhirError(
    'NOT_ACCEPTABLE',
    `The answer cannot be written as XML: ${reason}. Accept application/fhir+json for it.`,
  );
}
