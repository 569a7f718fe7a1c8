/** transaction: all entries or none, https://hl7.org/fhir/R4/http.html#trules */
import { preferredReturn, type ReturnPreference } from '../fhir/prefer.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import type { Bundle } from '../model/resource.js';
import { TimeSlice } from '../storage/time-slice.js';
import { type EntryRequest, patchBody, toEntryRequest } from './bundle-entry.js';
import { answerEntry, bundleText, writeEntry } from './bundle-response.js';
import { announceCompleted, completing, isHeard } from './completed.js';
import { planDelete } from './delete.js';
import { AnswerBudget, dispatchEntry } from './entry-answer.js';
import { atEntry } from './entry-error.js';
import { acceptResource } from './incoming.js';
import { assertPermitted } from './permission.js';
import { planPatch } from './patch.js';
import { type Attempt, executeWrites, type PlannedWrite } from './planned-write.js';
import { withWarnings } from './search-parameter-writes.js';
import type { ServerParts } from './server-parts.js';
import type { ResolvedEntry } from './transaction-identities.js';
import { resolveEntries } from './transaction-references.js';

/** The order in which entries are processed after the deletes, whatever their order in the Bundle. */
const STORING_ORDER = ['create', 'update', 'patch'] as const;
const WRITES: ReadonlySet<string> = new Set([...STORING_ORDER, 'delete']);

/** Entries that take longer to read than others should wait. */
const LARGE_BUNDLE = 200;

/** A write with the entry it answers. */
interface EntryWrite {
  readonly entry: EntryRequest;
  readonly write: PlannedWrite;
}

/** What planning one attempt shares. */
interface Planning {
  readonly server: ServerParts;
  readonly attempt: Attempt;
  readonly slice: TimeSlice;
  readonly planned: EntryWrite[];
  /** `Type/id` of everything that is changed so far. */
  readonly touched: Set<string>;
}

export async function transaction(
  server: ServerParts,
  request: RequestDetails,
  bundle: Bundle,
): Promise<string> {
  const slice = new TimeSlice();
  // That it was read was a long step already.
  if ((bundle.entry?.length ?? 0) > LARGE_BUNDLE) await slice.yield();
  const entries = await toEntryRequests(request, bundle, slice);
  assertTransactional(entries);
  await announceWrites(server, entries);
  for (const { index, request: own } of entries) await atEntry(index, async () => assertPermitted(own));
  const { entryWrites } = await executeWrites(server, request, async (attempt) => {
    const planned = await planEntries(server, request, { entries, attempt, slice });
    return { writes: planned.map(({ write }) => write), entryWrites: planned };
  });
  await announceStored(server, entryWrites);
  const answers = new Map<number, string>();
  const preference = bundlePreference(request);
  for (const { entry, write } of entryWrites) {
    answers.set(entry.index, writeEntry(entry.request, withWarnings(server, write.outcome), preference));
  }
  const budget = new AnswerBudget();
  for (const entry of entries) {
    if (!answers.has(entry.index)) answers.set(entry.index, await readEntry(server, entry, budget));
  }
  return bundleText(
    'transaction-response',
    entries.map(({ index }) => answers.get(index)!),
  );
}

/** Some at a time, so that hooks which write share commits. */
const ANNOUNCED_AT_ONCE = 32;

async function announceStored(server: ServerParts, stored: readonly EntryWrite[]): Promise<void> {
  if (!isHeard(server)) return;
  for (let start = 0; start < stored.length; start += ANNOUNCED_AT_ONCE) {
    const some = stored.slice(start, start + ANNOUNCED_AT_ONCE);
    await Promise.all(
      some.map(({ entry, write }) => announceCompleted(server, entry.request, write.outcome)),
    );
  }
}

async function toEntryRequests(
  request: RequestDetails,
  bundle: Bundle,
  slice: TimeSlice,
): Promise<readonly EntryRequest[]> {
  const entries: EntryRequest[] = [];
  for (const [index, entry] of (bundle.entry ?? []).entries()) {
    entries.push(toEntryRequest(request, entry, index));
    if (slice.isOver()) await slice.yield();
  }
  return entries;
}

/** Bodies are sent back only when they are asked for: a transaction is mostly a load. */
function bundlePreference(request: RequestDetails): ReturnPreference {
  return preferredReturn(request) ?? 'minimal';
}

function assertTransactional(entries: readonly EntryRequest[]): void {
  for (const { index, request } of entries) {
    const { interaction, method, path } = request;
    if (isRead(request) || WRITES.has(interaction)) continue;
    const message = `Bundle.entry[${index}] (${method} ${path.slice(0, 80)}) is not possible in a transaction.`;
    throw new FhirError('INVALID_REQUEST', message, { expression: [`Bundle.entry[${index}].request`] });
  }
}

/** The entries that read are announced when they are dispatched. */
async function announceWrites({ hooks }: ServerParts, entries: readonly EntryRequest[]): Promise<void> {
  if (!hooks.has('SERVER_INCOMING_REQUEST_PRE_HANDLED')) return;
  for (const { index, request } of entries) {
    if (isRead(request)) continue;
    await atEntry(index, async () => hooks.veto('SERVER_INCOMING_REQUEST_PRE_HANDLED', { request }));
  }
}

function isRead({ method }: RequestDetails): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** Deletes first: what they free can be created again; then creates, updates and patches, and reads at last. */
async function planEntries(
  server: ServerParts,
  request: RequestDetails,
  {
    entries,
    attempt,
    slice,
  }: { readonly entries: readonly EntryRequest[]; readonly attempt: Attempt; readonly slice: TimeSlice },
): Promise<readonly EntryWrite[]> {
  const planning: Planning = { server, attempt, slice, planned: [], touched: new Set() };
  for (const entry of entries) {
    if (entry.request.interaction !== 'delete') continue;
    await plan(planning, entry, () => planDelete(server, entry.request, attempt));
  }
  const deleted = new Set(planning.planned.flatMap(({ write }) => rowIdOf(write)));
  const storing = entries.filter(
    ({ request: { interaction } }) => interaction !== 'delete' && WRITES.has(interaction),
  );
  const resolved = await resolveEntries(server, request, { entries: storing, attempt, slice, deleted });
  for (const interaction of STORING_ORDER) {
    for (const one of resolved) {
      if (one.entry.request.interaction === interaction)
        await plan(planning, one.entry, () => planStoring(server, one));
    }
  }
  await assertReadable(planning, entries);
  return planning.planned;
}

async function plan(
  { slice, planned, touched }: Planning,
  entry: EntryRequest,
  work: () => Promise<PlannedWrite>,
): Promise<void> {
  const write = await atEntry(entry.index, work);
  assertOnlyOnce(entry, write, touched);
  planned.push({ entry, write: { ...write, entry: entry.index, request: entry.request } });
  if (slice.isOver()) await slice.yield();
}

async function planStoring(
  server: ServerParts,
  { entry, plan: planResource }: ResolvedEntry,
): Promise<PlannedWrite> {
  const { request, resource, index } = entry;
  if (request.interaction === 'patch') {
    return planPatch(server, { ...request, body: patchBody(resource, `Bundle.entry[${index}]`) });
  }
  return planResource(await acceptResource(server, { ...request, body: resource }));
}

function rowIdOf({ change }: PlannedWrite): readonly number[] {
  return change?.kind === 'delete' ? [change.current.rowId] : [];
}

/**
 * Two writes of one resource in one transaction have no order that the client could rely on; nor has a write beside
 * the deletion of what is not there.
 */
function assertOnlyOnce(
  { index, request }: EntryRequest,
  { change, outcome }: PlannedWrite,
  touched: Set<string>,
): void {
  const isDeletion = request.interaction === 'delete' && outcome.id !== '';
  if (!change && !isDeletion) return;
  const key = `${outcome.type}/${outcome.id}`;
  if (touched.has(key)) {
    const message = `The transaction changes ${key} more than once.`;
    throw new FhirError('INVALID_REQUEST', message, { expression: [`Bundle.entry[${index}]`] });
  }
  touched.add(key);
}

/**
 * A transaction answers 2xx or 3xx for every entry, or does nothing: what its reads ask for must be there before
 * anything is written, or be among what it writes.
 */
async function assertReadable(
  { server, planned }: Planning,
  entries: readonly EntryRequest[],
): Promise<void> {
  const reads = entries.filter(({ request }) => isRead(request));
  if (reads.length === 0) return;
  const written = new Set(
    planned.map(({ write: { outcome } }) => (outcome.text === null ? '' : `${outcome.type}/${outcome.id}`)),
  );
  const budget = new AnswerBudget();
  for (const { index, request } of reads) {
    if (written.has(`${request.resourceType}/${request.resourceId}`)) continue;
    await atEntry(index, () => dispatchEntry(server, request, budget));
  }
}

async function readEntry(server: ServerParts, entry: EntryRequest, budget: AnswerBudget): Promise<string> {
  try {
    const { request } = entry;
    return answerEntry(
      await completing(
        server,
        () => request,
        () => dispatchEntry(server, request, budget),
      ),
    );
  } catch (error) {
    if (!(error instanceof FhirError)) throw error;
    return answerEntry({ status: error.status, headers: {}, body: JSON.stringify(error.toOutcome()) });
  }
}
