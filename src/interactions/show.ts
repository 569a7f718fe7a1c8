import { parseStored, stringifyJson, stringifyPretty } from '../fhir/json.js';
import { selectElements, summarizeResource } from '../fhir/elements.js';
import type { AccessedResource, MaybePromise } from '../hooks/pointcuts.js';
import type { RequestDetails } from '../model/request.js';
import type { Resource } from '../model/resource.js';
import type { StoredVersion } from '../storage/store.js';
import { BLOB_EXTENSION, withoutPointer } from './blob-pointer.js';
import { type Presentation, presentationOf } from './presentation.js';
import type { ServerParts } from './server-parts.js';

/** A stored version on its way out; `text` is null for a deletion. */
export interface ShownVersion<Version extends StoredVersion = StoredVersion> {
  readonly version: Version;
  readonly text: string | null;
}

/**
 * What may be returned, and how: STORAGE_PREACCESS_RESOURCES may drop versions, STORAGE_PRESHOW_RESOURCES may
 * replace contents. Stored text passes through untouched where nobody hooks in and nothing is filtered.
 */
export async function show<Version extends StoredVersion>(
  server: ServerParts,
  request: RequestDetails,
  versions: readonly Version[],
  presentation: Presentation = presentationOf(request),
): Promise<readonly ShownVersion<Version>[]> {
  const accessible = await filterAccess(server, request, versions);
  if (!isChanged(server, presentation)) return accessible.map((version) => ({ version, text: version.text }));
  const live = accessible.filter(({ text }) => text !== null);
  const stored = live.map(({ text }) => parseStored(text ?? '') as Resource);
  const shown = await server.hooks.transform('STORAGE_PRESHOW_RESOURCES', { request }, stored);
  const texts = new Map(
    live.map((version, index) => [version, stringifyJson(present(shown[index]!, presentation))]),
  );
  return accessible.map((version) => ({ version, text: texts.get(version) ?? null }));
}

/** Whether contents are shown otherwise than they are stored. */
function isChanged(server: ServerParts, { summary, elements }: Presentation): boolean {
  return summary !== undefined || elements.length > 0 || server.hooks.has('STORAGE_PRESHOW_RESOURCES');
}

/** Whether versions go out exactly as they are stored: nobody hooks in, and all of them is wanted. */
export function isShownAsStored(server: ServerParts, presentation: Presentation): boolean {
  return !isChanged(server, presentation) && !server.hooks.has('STORAGE_PREACCESS_RESOURCES');
}

/** As `showListed`, for rows that are no deletions: each carries its text as it is to be seen. */
export function showRows<Row extends StoredVersion & { readonly text: string }>(
  server: ServerParts,
  request: RequestDetails,
  rows: readonly Row[],
  presentation: Presentation,
): MaybePromise<readonly Row[]> {
  const asStored = isShownAsStored(server, presentation) && !rows.some(({ type }) => type === 'Binary');
  return asStored ? rows : showChanged(server, request, rows, presentation);
}

async function showChanged<Row extends StoredVersion & { readonly text: string }>(
  server: ServerParts,
  request: RequestDetails,
  rows: readonly Row[],
  presentation: Presentation,
): Promise<readonly Row[]> {
  const shown = await showListed(server, request, rows, presentation);
  return shown.map(({ version, text }) =>
    text === null || text === version.text ? version : { ...version, text },
  );
}

/** As `show`, for lists: content that is streamed when a Binary is read is left out. */
export async function showListed<Version extends StoredVersion>(
  server: ServerParts,
  request: RequestDetails,
  versions: readonly Version[],
  presentation: Presentation,
): Promise<readonly ShownVersion<Version>[]> {
  const shown = await show(server, request, versions, presentation);
  return shown.map((one) =>
    one.version.type === 'Binary' && one.text?.includes(BLOB_EXTENSION)
      ? { ...one, text: withoutPointer(one.text) }
      : one,
  );
}

/** A resource that was not read from the store as text, in the form that the client wants. */
export function writeResource(resource: object, presentation: Presentation): string {
  return presentation.pretty ? stringifyPretty(resource) : stringifyJson(resource);
}

/** Text of one resource, indented where the client wants that. */
export function presentText(text: string, presentation: Presentation): string {
  return presentation.pretty ? stringifyPretty(parseStored(text) as object) : text;
}

/** The elements of a resource that the client wants. */
export function present(resource: Resource, { summary, elements }: Presentation): Resource {
  if (summary !== undefined) return summarizeResource(resource, summary);
  return elements.length > 0 ? selectElements(resource, elements) : resource;
}

async function filterAccess<Version extends StoredVersion>(
  server: ServerParts,
  request: RequestDetails,
  versions: readonly Version[],
): Promise<readonly Version[]> {
  if (!server.hooks.has('STORAGE_PREACCESS_RESOURCES')) return versions;
  const byAccess = new Map<AccessedResource, Version>();
  for (const version of versions) if (!version.deleted) byAccess.set(toAccessed(version), version);
  const allowed = await server.hooks.transform('STORAGE_PREACCESS_RESOURCES', { request }, [
    ...byAccess.keys(),
  ]);
  const kept = new Set(allowed.map((access) => byAccess.get(access)));
  return versions.filter((version) => version.deleted || kept.has(version));
}

function toAccessed(version: StoredVersion): AccessedResource {
  const { type, id, partition, text } = version;
  let parsed: Resource | undefined;
  const resource = (): Resource => (parsed ??= parseStored(text ?? '') as Resource);
  return { type, id, version: version.version, partition, resource };
}
