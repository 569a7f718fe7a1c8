import { rewriteReferences } from '../../fhir/rewrite-references.js';
import type { BundleEntry, Resource } from '../../model/resource.js';
import { type LoadEntry, targetOf, toRepeatable } from './load-entry.js';

/** What is sent at once: in a transaction all entries are loaded or none, in a batch each for itself. */
export interface LoadUnit {
  readonly type: 'transaction' | 'batch';
  /** The line that a Bundle of its own is; undefined: it is not from one line. */
  readonly position?: number;
  readonly entries: readonly LoadEntry[];
  /** What could not even be read. */
  readonly broken: readonly Failure[];
}

/** What was not loaded, and why. */
export interface Failure {
  /** Entry or line in the file, counted from 0; undefined: the whole file. */
  readonly position: number | undefined;
  /** `Patient/1`, where it is known. */
  readonly what: string | undefined;
  /** Resources that it stands for. */
  readonly resources: number;
  readonly reason: string;
}

/** Entries of one batch: enough to share commits, few enough to keep memory small. */
export const BATCH_ENTRIES = 200;

/** Of a transaction, unless it is known how many the server takes: as many as it does by default. */
export const TRANSACTION_ENTRIES = 5000;

const KINDS: Readonly<Record<string, 'whole' | 'each' | 'refused'>> = {
  transaction: 'whole',
  collection: 'whole',
  searchset: 'whole',
  document: 'whole',
  message: 'whole',
  batch: 'each',
  history: 'refused',
  'transaction-response': 'refused',
  'batch-response': 'refused',
};

/** What is to be sent for the one document of a file: a Bundle's entries, or the resource itself. */
export function toUnits(document: unknown): readonly LoadUnit[] {
  if (!isResource(document)) return [broken('The document is not a FHIR resource: it has no resourceType.')];
  if (document.resourceType !== 'Bundle') return [unit('batch', [{ resource: document }])];
  const { type, entry = [] } = document as { readonly type?: unknown; readonly entry?: unknown };
  const kind = KINDS[String(type)] ?? 'refused';
  if (kind === 'refused') return [broken(`A Bundle of type '${String(type)}' cannot be loaded.`)];
  if (!Array.isArray(entry)) return [broken('Bundle.entry is not a list.')];
  const whole = unit('transaction', entry.filter(isContent));
  if (type === 'transaction' || (kind === 'whole' && entry.length <= TRANSACTION_ENTRIES)) return [whole];
  return inBatches(whole);
}

/** A unit of single resources, each with its position. */
export function toBatch(
  resources: readonly { readonly position: number; readonly resource: Resource }[],
  failures: readonly Failure[],
): LoadUnit {
  const entries = resources.flatMap(({ resource, position }) => toRepeatable({ resource }, position) ?? []);
  return { type: 'batch', entries: firstOfEach(entries), broken: failures };
}

export function isResource(value: unknown): value is Resource {
  return isObject(value) && typeof value['resourceType'] === 'string';
}

function unit(type: LoadUnit['type'], given: readonly unknown[]): LoadUnit {
  const entries: LoadEntry[] = [];
  const failures: Failure[] = [];
  given.forEach((one, position) => {
    const entry = isEntry(one) ? toRepeatable(one, position) : undefined;
    if (entry) entries.push(entry);
    else
      failures.push({
        position,
        what: undefined,
        resources: 1,
        reason: 'The entry has neither a resource nor a request.',
      });
  });
  if (type === 'transaction' && failures.length > 0) return { type, entries: [], broken: failures };
  return { type, entries: withOwnReferences(firstOfEach(entries)), broken: failures };
}

/** References by fullUrl become references by id, so that entries can be sent apart from each other. */
function withOwnReferences(entries: readonly LoadEntry[]): readonly LoadEntry[] {
  const names = new Map<string, string>();
  for (const entry of entries) {
    const target = targetOf(entry);
    if (entry.fullUrl !== undefined && target !== undefined) names.set(entry.fullUrl, target);
  }
  return entries.map((entry) => withReferences(entry, names));
}

/** The entry with some references replaced by `Type/id`. */
export function withReferences(entry: LoadEntry, names: ReadonlyMap<string, string>): LoadEntry {
  return entry.resource ? { ...entry, resource: rewriteReferences(entry.resource, names) } : entry;
}

/** The same content without an id, given twice, is the same resource. */
function firstOfEach(entries: readonly LoadEntry[]): readonly LoadEntry[] {
  const seen = new Map<string, Resource | undefined>();
  return entries.filter((entry) => {
    const target = targetOf(entry);
    if (target === undefined || !/\/x[0-9a-f]{32}$/.test(target)) return true;
    if (seen.has(target)) return false;
    seen.set(target, entry.resource);
    return true;
  });
}

function inBatches({ entries, broken: failures }: LoadUnit): readonly LoadUnit[] {
  const units: LoadUnit[] = [];
  for (let start = 0; start < entries.length; start += BATCH_ENTRIES) {
    units.push({ type: 'batch', entries: entries.slice(start, start + BATCH_ENTRIES), broken: [] });
  }
  return failures.length === 0 ? units : [...units, { type: 'batch', entries: [], broken: failures }];
}

function broken(reason: string): LoadUnit {
  return {
    type: 'batch',
    entries: [],
    broken: [{ position: undefined, what: undefined, resources: 1, reason }],
  };
}

/** A search's own remarks are no content. */
function isContent(entry: unknown): boolean {
  const mode = isObject(entry) && isObject(entry['search']) ? entry['search']['mode'] : undefined;
  return mode !== 'outcome';
}

function isEntry(value: unknown): value is BundleEntry {
  if (!isObject(value)) return false;
  const { resource, request } = value;
  const readable = resource === undefined || isResource(resource);
  return readable && (request === undefined || isRequest(request)) && (resource ?? request) !== undefined;
}

function isRequest(value: unknown): boolean {
  return isObject(value) && typeof value['method'] === 'string' && typeof value['url'] === 'string';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
