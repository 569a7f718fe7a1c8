/** $lastn: https://hl7.org/fhir/R4/observation-operation-lastn.html */
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { jsonResponse } from '../interactions/response.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { presentationOfSearch } from '../interactions/presentation.js';
import { present, presentText } from '../interactions/show.js';
import { stringifyJson } from '../fhir/json.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import { selfQuery, toSearchBundle } from '../search/bundle.js';
import { searchParametersOf } from './everything.js';
import { findObservations, type FoundObservation, type Observation } from './observations.js';

const MAX = 'max';

/** The last `max` observations of each code (one if left out), of all that a search finds. */
export async function lastn(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const parameters = searchParametersOf(request);
  const most = parseMax(parameters.filter(([name]) => name === MAX).map(([, value]) => value));
  const criteria = parameters.filter(([name]) => name !== MAX);
  const { search, found } = await findObservations(server, request, criteria);
  const groups = groupByCode(found);
  const kept = groups.flatMap((group) => group.slice(0, most));
  const presentation = presentationOfSearch({ ...request, parameters }, search);
  const isWhole = presentation.summary === undefined && presentation.elements.length === 0;
  const matches = kept.map(({ row, content }) =>
    isWhole ? row : { ...row, text: stringifyJson(present(content, presentation)) },
  );
  const applied = parameters.filter((one) => one[0] === MAX || search.applied.includes(one));
  const result = {
    request: search,
    matches: search.summary === 'count' ? [] : matches,
    included: [],
    truncated: false,
    isRanked: false,
    total: matches.length,
    next: undefined,
  };
  const self = `${request.base}/Observation/$lastn${selfQuery(applied)}`;
  return jsonResponse(200, presentText(toSearchBundle(result, { base: request.base, self }), presentation));
}

function parseMax([text = '1', ...more]: readonly string[]): number {
  if (/^[1-9]\d{0,3}$/.test(text) && more.length === 0) return Number(text);
  throw new FhirError('INVALID_REQUEST', "The parameter 'max' is one whole number from 1 to 9999.");
}

/**
 * Observations have one code if they share a coding, directly or through others; without codings, by their text.
 * Groups come in the order of their first ones.
 */
export function groupByCode(found: readonly FoundObservation[]): readonly (readonly FoundObservation[])[] {
  const leaders = new Map<string, string>();
  const leaderOf = (key: string): string => {
    const leader = leaders.get(key);
    if (leader === undefined || leader === key) return key;
    const last = leaderOf(leader);
    leaders.set(key, last);
    return last;
  };
  const keys = found.map(({ content }) => keysOf(content));
  for (const [first = '', ...others] of keys) {
    for (const other of others) leaders.set(leaderOf(other), leaderOf(first));
  }
  const groups = Map.groupBy(found, (_, at) => leaderOf(keys[at]?.[0] ?? ''));
  return [...groups.values()];
}

function keysOf({ code }: Observation): readonly string[] {
  const codings = (code?.coding ?? []).filter((coding) => coding.code !== undefined);
  if (codings.length > 0) return codings.map((coding) => `${coding.system ?? ''}|${coding.code}`);
  return [`text ${code?.text?.toLowerCase() ?? ''}`];
}
