import { isDeepStrictEqual } from 'node:util';
import { forEachReference, parseReference } from '../../fhir/references.js';
import type { Bundle, Meta, Resource } from '../../model/resource.js';
import { type LoadEntry, targetOf } from './load-entry.js';
import { isResource } from './unit.js';
import { type AnsweredEntry, type LoadTarget, statusOf } from './target.js';

/** What the target holds already of what a unit is about. */
export interface StoredState {
  /** By `Type/id`. */
  readonly resources: ReadonlyMap<string, Resource>;
  /** Conditional references with exactly one match, and that match as `Type/id`. */
  readonly names: ReadonlyMap<string, string>;
}

/** Reads of one batch. */
const READ_ENTRIES = 500;

/** Asks the target for the resources that the entries are written to, and for their conditional references. */
export async function readStoredState(
  target: LoadTarget,
  entries: readonly LoadEntry[],
): Promise<StoredState> {
  const resources = new Map<string, Resource>();
  const names = new Map<string, string>();
  const urls = [...new Set([...entries.flatMap((entry) => targetOf(entry) ?? []), ...conditionsOf(entries)])];
  for (let start = 0; start < urls.length; start += READ_ENTRIES) {
    const part = urls.slice(start, start + READ_ENTRIES);
    const answer = await target.send(readBatch(part));
    if (!answer.ok) continue;
    answer.entries.forEach((entry, index) => remember(part[index] ?? '', entry, { resources, names }));
  }
  return { resources, names };
}

/** Whether the resource is stored as it would be sent: all but version and time of the last change. */
export function isStored(sent: Resource, stored: Resource | undefined): boolean {
  return stored !== undefined && isDeepStrictEqual(withoutVersion(sent), withoutVersion(stored));
}

function conditionsOf(entries: readonly LoadEntry[]): readonly string[] {
  const conditions: string[] = [];
  for (const { resource } of entries) {
    if (!resource) continue;
    forEachReference(resource, ({ text }) => {
      if (parseReference(text).kind === 'conditional') conditions.push(text);
    });
  }
  return conditions;
}

function readBatch(urls: readonly string[]): Bundle {
  const entry = urls.map((url) => ({
    request: { method: 'GET', url: url.includes('?') ? `${url}&_count=2` : url },
  }));
  return { resourceType: 'Bundle', type: 'batch', entry };
}

function remember(
  url: string,
  entry: AnsweredEntry,
  { resources, names }: { readonly resources: Map<string, Resource>; readonly names: Map<string, string> },
): void {
  const { resource } = entry;
  if (statusOf(entry) !== 200 || !isResource(resource)) return;
  if (!url.includes('?')) {
    resources.set(url, resource);
    return;
  }
  const matches = ((resource as Bundle).entry ?? []).flatMap((match) => match.resource ?? []);
  const [match] = matches;
  if (matches.length === 1 && match) names.set(url, `${match.resourceType}/${match.id}`);
}

function withoutVersion({ meta = {}, ...resource }: Resource): object {
  const { versionId: _version, lastUpdated: _updated, ...labels }: Meta = meta;
  return Object.keys(labels).length === 0 ? resource : { ...resource, meta: labels };
}
