import type { Resource } from '../../model/resource.js';
import { RESOURCE_TYPES } from '../r4/resource-types.js';
import {
  CONTAINED_ELEMENT,
  CONTAINED_SELF,
  containedNumber,
  containedPath,
  innerReferredPath,
  referredPath,
} from './contained-paths.js';
import { elementRows, text } from './element-rows.js';
import { asList, asObject, asText } from './element-values.js';
import type { Extractor } from './extractor.js';
import { RowCollector } from './row-collector.js';

/** A contained resource of a type that there is. */
interface Contained {
  readonly type: string;
  readonly id: string;
  /** See `containedNumber`. */
  readonly number: number;
  readonly resource: Resource;
}

/**
 * Adds what contained resources are found by (https://hl7.org/fhir/R4/search.html#contained): each is indexed as it
 * would be elsewhere, in rows of the container that carry its number. A resource that contains none costs nothing.
 */
export function addContainedRows(
  { contained }: Resource,
  rows: RowCollector,
  extractorOf: (type: string) => Extractor,
): void {
  if (contained === undefined) return;
  const parts = asList(contained).flatMap(toContained);
  if (parts.length === 0) return;
  // `#` alone is the container.
  const byId = new Map(parts.filter(({ id }) => id !== '').map((part) => [part.id, part]));
  for (const { path, id } of rows.fragments) addReferred(rows, referredPath(path), byId.get(id));
  for (const part of parts) addContained(part, rows, { byId, extract: extractorOf(part.type) });
}

function toContained(value: unknown, place: number): readonly Contained[] {
  const resource = asObject(value);
  const type = asText(resource?.['resourceType']);
  if (resource === undefined || type === undefined || !RESOURCE_TYPES.has(type)) return [];
  const id = asText(resource['id']) ?? '';
  return [{ type, id, number: containedNumber(place), resource: resource as Resource }];
}

function addReferred(rows: RowCollector, path: string, target: Contained | undefined): void {
  if (target === undefined) return;
  rows.elements.push({ path, element: target.number, ...text(target.type) });
}

/** What one contained resource is indexed with. */
interface Indexing {
  readonly byId: ReadonlyMap<string, Contained>;
  readonly extract: Extractor;
}

function addContained(
  { type: of, id, number: element, resource }: Contained,
  rows: RowCollector,
  { byId, extract }: Indexing,
): void {
  const own = new RowCollector(rows.toLocal);
  extract(resource, own);
  rows.elements.push({ path: CONTAINED_SELF, of, element, ...text(id) });
  for (const { kind, path, columns } of elementRows(own))
    rows.elements.push({ path: containedPath(kind, path), of, element, ...columns });
  addElements(own, rows, { of, element });
  for (const { path, id: target } of own.fragments) {
    const found = byId.get(target);
    if (found === undefined) continue;
    const at = { path: innerReferredPath(path), of, element: found.number };
    rows.elements.push({ ...at, ...text(found.type), low: element });
  }
}

/** Elements of the contained resource that repeat get numbers among those of the container. */
function addElements(
  own: RowCollector,
  rows: RowCollector,
  { of, element: holder }: { readonly of: string; readonly element: number },
): void {
  const numbers = new Map<number, number>();
  for (const row of own.elements) {
    const element = numbers.get(row.element) ?? rows.nextElement();
    if (!numbers.has(row.element))
      rows.elements.push({ path: CONTAINED_ELEMENT, of, element, ...text(''), low: holder });
    numbers.set(row.element, element);
    rows.elements.push({ ...row, path: containedPath('composite', row.path), of, element });
  }
}
