import { copyNumberTexts } from '../fhir/json.js';
import { forEachReference, parseReference } from '../fhir/references.js';
import { rewriteReferences } from '../fhir/rewrite-references.js';
import { FhirError } from '../model/errors.js';
import type { PartitionAssignment, PartitionScope } from '../model/partition.js';
import type { RequestDetails } from '../model/request.js';
import type { Resource } from '../model/resource.js';
import type { ConditionClaim, StoredVersion } from '../storage/store.js';
import type { TimeSlice } from '../storage/time-slice.js';
import type { EntryRequest } from './bundle-entry.js';
import { findMatch, parseCondition, toClaim } from './condition.js';
import { singleHeader } from './find.js';
import { planCreation, planNothing } from './plan-write.js';
import type { Attempt, PlannedWrite } from './planned-write.js';
import type { ServerParts } from './server-parts.js';
import { atEntry } from './transaction.js';
import { planUpdate } from './update.js';

/** An entry whose identity is known, and how to plan it once its resource has been checked. */
export interface ResolvedEntry {
  readonly entry: EntryRequest;
  readonly plan: (resource: Resource) => Promise<PlannedWrite>;
}

/** What a create entry will be: a new resource, or the one that its condition matches. */
interface CreateIdentity {
  readonly id: string;
  readonly assignment: PartitionAssignment;
  readonly match: StoredVersion | undefined;
  readonly claim: ConditionClaim | undefined;
}

interface Resolution {
  readonly server: ServerParts;
  readonly parent: RequestDetails;
  readonly attempt: Attempt;
  readonly slice: TimeSlice;
  /** What the entries call each other, and what that becomes. */
  readonly replacements: Map<string, string>;
  /** Condition text to id, for entries of one transaction with the same condition. */
  readonly conditions: Map<string, string>;
}

/**
 * Gives every entry its identity first, because entries may refer to each other in any order; then replaces
 * `urn:uuid:…`, full URLs and conditional references by the resources that they mean.
 */
export async function resolveEntries(
  server: ServerParts,
  parent: RequestDetails,
  { entries, attempt, slice }: { entries: readonly EntryRequest[]; attempt: Attempt; slice: TimeSlice },
): Promise<readonly ResolvedEntry[]> {
  const resolution: Resolution = { server, parent, attempt, slice, replacements: new Map(), conditions: new Map() };
  const planners: ((resource: Resource) => Promise<PlannedWrite>)[] = [];
  for (const entry of entries) {
    planners.push(await atEntry(entry, () => identify(resolution, entry)));
    if (slice.isOver()) await slice.yield();
  }
  for (const entry of entries) await atEntry(entry, () => resolveConditions(resolution, entry));
  return entries.map((entry, index) => ({ entry: rewritten(resolution, entry), plan: planners[index]! }));
}

async function identify(
  resolution: Resolution,
  entry: EntryRequest,
): Promise<(resource: Resource) => Promise<PlannedWrite>> {
  const { server, attempt } = resolution;
  const { request } = entry;
  if (request.interaction === 'create') {
    const identity = await identifyCreate(resolution, entry);
    name(resolution, entry, identity.match?.id ?? identity.id);
    return async (resource) => planIdentified(server, request, { resource, identity });
  }
  if (request.interaction !== 'update') return async () => unplannable();
  if (request.resourceId !== undefined) {
    name(resolution, entry, request.resourceId);
    return (resource) => planUpdate(server, request, { resource, attempt });
  }
  return identifyConditionalUpdate(resolution, entry);
}

async function identifyCreate(resolution: Resolution, entry: EntryRequest): Promise<CreateIdentity> {
  const { server, attempt, conditions } = resolution;
  const { request } = entry;
  const resource = resourceOf(entry);
  const assignment = await server.resolver.resolveCreate(request, resource);
  const header = singleHeader(request, 'if-none-exist');
  if (header === undefined) return { id: await server.newId(), assignment, match: undefined, claim: undefined };
  const condition = parseCondition(resource.resourceType, header);
  const scope = server.resolver.scopeOfAssignment(assignment);
  const match = await findMatch(server, request, scope, condition);
  const claim = toClaim(server, condition, attempt);
  const key = `${assignment.partition} ${condition.type}?${claim.condition}`;
  if (conditions.has(key)) {
    throw new FhirError('INVALID_REQUEST', 'Two entries of the transaction have the same If-None-Exist condition.');
  }
  const id = await server.newId();
  conditions.set(key, id);
  return { id, assignment, match, claim };
}

async function planIdentified(
  server: ServerParts,
  request: RequestDetails,
  { resource, identity }: { readonly resource: Resource; readonly identity: CreateIdentity },
): Promise<PlannedWrite> {
  const { match, id, assignment, claim } = identity;
  if (match) return planNothing(match);
  return planCreation(server, request, { resource, id, assignment, claim });
}

/** A conditional update without a match and without an id gets its id now, as references may need it. */
async function identifyConditionalUpdate(
  resolution: Resolution,
  entry: EntryRequest,
): Promise<(resource: Resource) => Promise<PlannedWrite>> {
  const { server, attempt } = resolution;
  const { request } = entry;
  const sent = resourceOf(entry);
  const scope = await server.resolver.resolveRead(request);
  const condition = { type: request.resourceType ?? '', parameters: request.parameters };
  const match = await findMatch(server, request, scope, condition);
  if (match ?? sent.id) {
    name(resolution, entry, match?.id ?? sent.id!);
    return (resource) => planUpdate(server, request, { resource, attempt });
  }
  const assignment = await server.resolver.resolveCreate(request, sent);
  const id = await server.newId();
  name(resolution, entry, id);
  const claim = toClaim(server, condition, attempt);
  return (resource) => planCreation(server, request, { resource, id, assignment, claim });
}

function name({ replacements }: Resolution, { fullUrl, request }: EntryRequest, id: string): void {
  if (fullUrl !== undefined) replacements.set(fullUrl, `${request.resourceType}/${id}`);
}

/** Conditional references are searched once each, in the scope of the transaction. */
async function resolveConditions({ server, parent, replacements }: Resolution, entry: EntryRequest): Promise<void> {
  if (!entry.resource) return;
  const conditional = new Map<string, string>();
  forEachReference(entry.resource, ({ text, expression }) => {
    if (text.includes('?') && !replacements.has(text)) conditional.set(text, expression);
  });
  for (const [text, expression] of conditional) {
    const parsed = parseReference(text);
    if (parsed.kind !== 'conditional') continue;
    const scope: PartitionScope = await server.resolver.resolveRead(
      { ...parent, interaction: 'search-type', resourceType: parsed.type },
      { interaction: 'search-type', resourceType: parsed.type },
    );
    const match = await findMatch(server, parent, scope, parseCondition(parsed.type, parsed.query));
    if (!match) {
      const message = `Conditional reference '${text.slice(0, 200)}' matches nothing.`;
      throw new FhirError('REFERENCE_NOT_FOUND', message, { expression: [expression] });
    }
    replacements.set(text, `${match.type}/${match.id}`);
  }
}

function rewritten({ replacements }: Resolution, entry: EntryRequest): EntryRequest {
  if (!entry.resource) return entry;
  const resource = rewriteReferences(entry.resource, replacements);
  return { ...entry, resource: copyNumberTexts(entry.resource, resource) };
}

function resourceOf({ resource, index }: EntryRequest): Resource {
  if (resource) return resource;
  throw new FhirError('INVALID_REQUEST', `Bundle.entry[${index}] has no resource.`, {
    expression: [`Bundle.entry[${index}].resource`],
  });
}

function unplannable(): never {
  throw new Error('Deletes and patches are not planned through their resource.');
}
