import { asList, asObject, type JsonObject } from '../fhir/extract/element-values.js';
import { parseStored, stringifyJson } from '../fhir/json.js';
import type { RequestDetails } from '../model/request.js';
import type { Resource } from '../model/resource.js';
import type { SearchRow } from '../storage/search-store.js';
import type { ServerParts } from './server-parts.js';
import { type Presentation } from './presentation.js';
import { present, showRows } from './show.js';

const WHOLE: Presentation = { summary: undefined, elements: [], pretty: false };

/**
 * Matches as they may be seen, contained resources among them: hooks see each container once and whole, and what they
 * leave of it is shown.
 */
export async function showMatches(
  server: ServerParts,
  request: RequestDetails,
  matches: readonly SearchRow[],
  presentation: Presentation,
): Promise<readonly SearchRow[]> {
  if (!matches.some(({ part }) => part !== undefined))
    return showRows(server, request, matches, presentation);
  const containers = [...new Map(matches.map((row) => [row.rowId, row])).values()];
  const shown = await showRows(server, request, containers, WHOLE);
  const texts = new Map(shown.map(({ rowId, text }) => [rowId, text]));
  return matches.flatMap((row) => {
    const text = texts.get(row.rowId);
    return text === undefined ? [] : toEntry(row, text, presentation);
  });
}

function toEntry(row: SearchRow, text: string, presentation: Presentation): readonly SearchRow[] {
  const seen = parseStored(text) as Resource;
  if (row.part === undefined) return [{ ...row, text: stringifyJson(present(seen, presentation)) }];
  const found = containedIn(parseStored(row.text) as Resource)[row.part];
  // A hook may have taken resources out, so that places say nothing.
  const resource = containedIn(seen).find((one) => isSame(one, found)) as Resource | undefined;
  if (resource === undefined) return [];
  return [{ ...row, fragment: resource.id ?? '', text: stringifyJson(present(resource, presentation)) }];
}

function containedIn({ contained }: Resource): readonly (JsonObject | undefined)[] {
  return asList(contained).map(asObject);
}

function isSame(one: JsonObject | undefined, other: JsonObject | undefined): boolean {
  return one?.['resourceType'] === other?.['resourceType'] && one?.['id'] === other?.['id'];
}
