import type { Bundle, Parameters, SearchParameter } from 'fhir/r4.js';
import { type FhirClient } from '../support/fhir-client.js';
import { matchesOf, patchParameter } from './fixtures.js';

const DEFINITIONS = 'https://smilecdr.com/fhir/ns/StructureDefinition/searchparameter-uplift';

/** The extension that lifts tokens of a system; its children have a uri and a code, as Smile CDR's samples do. */
export function upliftToken(system: string, element: string): object {
  return {
    url: `${DEFINITIONS}-token`,
    extension: [
      { url: 'system', valueUri: system },
      { url: 'token-to-element', valueCode: element },
    ],
  };
}

/** The extension that lifts what targets of a reference are found by. */
export function upliftChain(code: string, element: string): object {
  return {
    url: `${DEFINITIONS}-refchain`,
    extension: [
      { url: 'code', valueCode: code },
      { url: 'element-name', valueString: element },
    ],
  };
}

/** Gives a parameter of R4 extensions, in the place of those that it has. */
export async function lift(client: FhirClient, id: string, extension: readonly object[]): Promise<void> {
  const { body } = await client.get<SearchParameter>(`SearchParameter/${id}`);
  const change =
    extension.length > 0
      ? { op: body.extension ? 'replace' : 'add', path: '/extension', value: extension }
      : { op: 'remove', path: '/extension' };
  const { status, text } = await patchParameter<SearchParameter>(client, id, [change]);
  if (status !== 200) throw new Error(`PATCH answered ${status}: ${text}`);
}

/** How a search of a tenant is answered. */
export interface ExplainedSearch {
  readonly plan: string;
  readonly sql: string;
}

export async function explainOf(client: FhirClient, tenant: string, url: string): Promise<ExplainedSearch> {
  const query = `tenant=${tenant}&url=${encodeURIComponent(url)}`;
  const { status, body, text } = await client.get<Parameters>(`$search-explain?${query}`);
  if (status !== 200) throw new Error(text);
  const statement = body.parameter?.find(({ name }) => name === 'statement');
  return {
    plan: body.parameter?.find(({ name }) => name === 'plan')?.valueString ?? '',
    sql: statement?.part?.find(({ name }) => name === 'sql')?.valueString ?? '',
  };
}

/** Ids that each search matches, in order. */
export async function answersOf(
  client: FhirClient,
  searches: readonly string[],
): Promise<Readonly<Record<string, readonly (string | undefined)[]>>> {
  const answers: Record<string, readonly (string | undefined)[]> = {};
  for (const search of searches) {
    const answer = await client.get<Bundle>(`${search}&_count=1000`);
    if (answer.status !== 200) throw new Error(`${search} answered ${answer.status}: ${answer.text}`);
    answers[search] = matchesOf(answer).toSorted();
  }
  return answers;
}
