import type { RequestDetails } from '../model/request.js';

/** What `Prefer: return=…` asks for (https://hl7.org/fhir/R4/http.html#ops). */
export type ReturnPreference = 'representation' | 'minimal' | 'OperationOutcome';

const RETURNS: readonly ReturnPreference[] = ['representation', 'minimal', 'OperationOutcome'];

/** What is asked of the answer to a write; `undefined` where nothing is that the specification has. */
export function preferredReturn(request: RequestDetails): ReturnPreference | undefined {
  const wanted = preferences(request).get('return');
  return RETURNS.find((known) => known.toLowerCase() === wanted);
}

/** `Prefer: handling=lenient`: what is not understood is left out (https://hl7.org/fhir/R4/search.html#errors). */
export function isLenient(request: RequestDetails): boolean {
  return preferences(request).get('handling') === 'lenient';
}

/** `Prefer: respond-async`: the answer is wanted later (https://hl7.org/fhir/R4/async.html). */
export function prefersAsync(request: RequestDetails): boolean {
  return preferences(request).has('respond-async');
}

/**
 * By name, in lower case, and of several the first: https://www.rfc-editor.org/rfc/rfc7240#section-2. Values may
 * stand in quotes; what is unknown is passed over.
 */
function preferences({ headers }: RequestDetails): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const preference of (headers.get('prefer') ?? []).flatMap((value) => value.split(/[;,]/))) {
    const [name = '', value = ''] = preference.toLowerCase().split('=', 2);
    if (!found.has(name.trim())) found.set(name.trim(), unquoted(value.trim()));
  }
  return found;
}

function unquoted(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}
