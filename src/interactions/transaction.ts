/** transaction: all entries or none, https://hl7.org/fhir/R4/http.html#trules */
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import type { Bundle } from '../model/resource.js';
import { TimeSlice } from '../storage/time-slice.js';
import { type EntryRequest, toEntryRequest } from './bundle-entry.js';
import { answerEntry, bundleText, writeEntry } from './bundle-response.js';
import { planDelete } from './delete.js';
import { dispatch } from './dispatch.js';
import { acceptResource } from './incoming.js';
import { planPatch } from './patch.js';
import { type Attempt, executeWrites, type PlannedWrite } from './planned-write.js';
import { returnPreference } from './response.js';
import type { ServerParts } from './server-parts.js';
import { resolveEntries, type ResolvedEntry } from './transaction-references.js';

/** The order in which entries are processed, whatever their order in the Bundle. */
const PROCESSING_ORDER = ['delete', 'create', 'update', 'patch'] as const;

/** A write with the entry it answers. */
interface EntryWrite {
  readonly entry: EntryRequest;
  readonly write: PlannedWrite;
}

export async function transaction(server: ServerParts, request: RequestDetails, bundle: Bundle): Promise<string> {
  const entries = (bundle.entry ?? []).map((entry, index) => toEntryRequest(request, entry, index));
  assertTransactional(entries);
  const { entryWrites } = await executeWrites(server, request, async (attempt) => {
    const planned = await planEntries(server, request, { entries, attempt });
    return { writes: planned.map(({ write }) => write), entryWrites: planned };
  });
  const answers = new Map<number, string>();
  const preference = bundlePreference(request);
  for (const { entry, write } of entryWrites) {
    answers.set(entry.index, writeEntry(entry.request, write.outcome, preference));
  }
  for (const entry of entries) {
    if (!answers.has(entry.index)) answers.set(entry.index, await readEntry(server, entry));
  }
  return bundleText('transaction-response', entries.map(({ index }) => answers.get(index)!));
}

/** Bodies are sent back only when they are asked for: a transaction is mostly a load. */
function bundlePreference(request: RequestDetails): 'representation' | 'minimal' | 'OperationOutcome' {
  return request.headers.has('prefer') ? returnPreference(request) : 'minimal';
}

function assertTransactional(entries: readonly EntryRequest[]): void {
  for (const { index, request } of entries) {
    const { interaction, method } = request;
    const reads = method === 'GET' || method === 'HEAD';
    if (reads || PROCESSING_ORDER.some((known) => known === interaction)) continue;
    const message = `Bundle.entry[${index}] (${method} ${request.path}) is not possible in a transaction.`;
    throw new FhirError('INVALID_REQUEST', message, { expression: [`Bundle.entry[${index}].request`] });
  }
}

async function planEntries(
  server: ServerParts,
  request: RequestDetails,
  { entries, attempt }: { readonly entries: readonly EntryRequest[]; readonly attempt: Attempt },
): Promise<readonly EntryWrite[]> {
  const slice = new TimeSlice();
  const writes = entries.filter(({ request: { interaction } }) => PROCESSING_ORDER.some((known) => known === interaction));
  const resolved = await resolveEntries(server, request, { entries: writes, attempt, slice });
  const planned: EntryWrite[] = [];
  const touched = new Set<string>();
  for (const interaction of PROCESSING_ORDER) {
    for (const one of resolved) {
      if (one.entry.request.interaction !== interaction) continue;
      const write = await atEntry(one.entry, () => planEntry(server, one, attempt));
      assertOnlyOnce(one.entry, write, touched);
      planned.push({ entry: one.entry, write });
      if (slice.isOver()) await slice.yield();
    }
  }
  return planned;
}

async function planEntry(server: ServerParts, { entry, plan }: ResolvedEntry, attempt: Attempt): Promise<PlannedWrite> {
  const { request } = entry;
  if (request.interaction === 'delete') return planDelete(server, request, attempt);
  if (request.interaction === 'patch') return planPatch(server, { ...request, body: patchBody(entry) });
  const resource = await acceptResource(server, { ...request, body: entry.resource });
  return plan(resource);
}

/** A FHIRPath Patch is a Parameters resource, a JSON Patch comes in a Binary (https://hl7.org/fhir/R4/http.html#patch). */
function patchBody({ resource, index }: EntryRequest): unknown {
  if (resource?.resourceType !== 'Binary') return resource;
  const { data } = resource;
  try {
    return JSON.parse(Buffer.from(String(data), 'base64').toString('utf8'));
  } catch (cause) {
    throw new FhirError('INVALID_REQUEST', 'The Binary does not hold a JSON Patch.', {
      cause,
      expression: [`Bundle.entry[${index}].resource.data`],
    });
  }
}

/** Two writes of one resource in one transaction have no order that the client could rely on. */
function assertOnlyOnce({ index }: EntryRequest, { change, outcome }: PlannedWrite, touched: Set<string>): void {
  if (!change) return;
  const key = `${outcome.type}/${outcome.id}`;
  if (touched.has(key)) {
    const message = `The transaction changes ${key} more than once.`;
    throw new FhirError('INVALID_REQUEST', message, { expression: [`Bundle.entry[${index}]`] });
  }
  touched.add(key);
}

async function readEntry(server: ServerParts, entry: EntryRequest): Promise<string> {
  try {
    return answerEntry(await dispatch(server, entry.request));
  } catch (error) {
    if (!(error instanceof FhirError)) throw error;
    return answerEntry({ status: error.status, headers: {}, body: JSON.stringify(error.toOutcome()) });
  }
}

/** Says in the error which entry it came from. */
export async function atEntry<Result>({ index }: EntryRequest, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FhirError)) throw error;
    const place = `Bundle.entry[${index}]`;
    const issues = error.toOutcome().issue.map((issue) => ({
      ...issue,
      expression: (issue.expression ?? ['']).map((path) => (path.startsWith('Bundle.') ? path : [`${place}.resource`, path].filter(Boolean).join(': '))),
    }));
    throw new FhirError(error.code, `${place}: ${error.message}`, { ...error.options, status: error.status, issues });
  }
}

