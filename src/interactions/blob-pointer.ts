import { SUBSETTED } from '../fhir/elements.js';
import { parseStored, stringifyJson } from '../fhir/json.js';
import { FhirError } from '../model/errors.js';
import type { Resource } from '../model/resource.js';

/** Url of the extension on `Binary._data` that tells where content is which is too large for the resource. */
export const BLOB_EXTENSION = 'urn:bulkhead:blob';

/** Id of the blob that holds the content of a Binary; undefined where the content is in the resource. */
export function blobIdOf(resource: Resource): string | undefined {
  const { _data: element } = resource as { readonly _data?: { readonly extension?: unknown } };
  const extensions: readonly unknown[] = Array.isArray(element?.extension) ? element.extension : [];
  for (const extension of extensions) {
    const { url, valueString } = (extension ?? {}) as {
      readonly url?: unknown;
      readonly valueString?: unknown;
    };
    if (url === BLOB_EXTENSION && typeof valueString === 'string') return valueString;
  }
  return undefined;
}

/**
 * A Binary as lists show it (searches, histories), where content of any size has no place: without the pointer, and
 * marked as SUBSETTED. Reading the Binary itself gives all of it.
 */
export function withoutPointer(text: string): string {
  const { _data: _pointer, ...resource } = parseStored(text) as Resource;
  const { meta = {} } = resource;
  return stringifyJson({ ...resource, meta: { ...meta, tag: [...(meta.tag ?? []), SUBSETTED] } });
}

/** Only the server may point at a blob. @throws FhirError INVALID_REQUEST */
export function assertNoBlobReference(resource: Resource): void {
  if (resource.resourceType !== 'Binary' || blobIdOf(resource) === undefined) return;
  throw new FhirError('INVALID_REQUEST', `The extension ${BLOB_EXTENSION} is the server's own.`, {
    expression: ['Binary.data.extension'],
  });
}
