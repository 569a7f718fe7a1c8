import type { Resource } from '../../model/resource.js';
import type { LoadEntry } from './load-entry.js';
import { targetOf } from './load-entry.js';

/** A Binary that is sent as its content, in its own media type: https://hl7.org/fhir/R4/binary.html#rest */
export interface LargeBinary {
  readonly id: string;
  readonly contentType: string;
  /** What decides about access, as `X-Security-Context`. */
  readonly securityContext: string | undefined;
  readonly content: Buffer;
}

/** Content above this is kept apart from the resource by a server that is sent it as it is; in characters of base64. */
const LARGE = 350_000;
/** What would be taken for the resource itself, not for its content. */
const FHIR_TYPES = /json|xml/i;
const SENT_BY_HEADERS: ReadonlySet<string> = new Set([
  'resourceType',
  'id',
  'meta',
  'contentType',
  'securityContext',
  'data',
]);

/** The entry as its content, where it is large and nothing of it would be lost; undefined: it is sent as a resource. */
export function toLargeBinary(entry: LoadEntry): LargeBinary | undefined {
  const { resource } = entry;
  if (resource?.resourceType !== 'Binary' || targetOf(entry) === undefined) return undefined;
  const { id, contentType, data } = resource;
  if (id === undefined || typeof data !== 'string' || data.length < LARGE) return undefined;
  if (typeof contentType !== 'string' || FHIR_TYPES.test(contentType) || !/^[\x21-\x7e ]+$/.test(contentType))
    return undefined;
  const securityContext = referenceOf(resource['securityContext']);
  if (securityContext === null || !isSentByHeaders(resource)) return undefined;
  const content = Buffer.from(data, 'base64');
  return content.toString('base64') === data ? { id, contentType, securityContext, content } : undefined;
}

function isSentByHeaders(resource: Resource): boolean {
  const { versionId: _version, lastUpdated: _updated, ...labels } = resource.meta ?? {};
  return Object.keys(labels).length === 0 && Object.keys(resource).every((name) => SENT_BY_HEADERS.has(name));
}

/** Null for more than a reference. */
function referenceOf(value: unknown): string | undefined | null {
  if (value === undefined) return undefined;
  const { reference, ...more } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return typeof reference === 'string' && Object.keys(more).length === 0 ? reference : null;
}
