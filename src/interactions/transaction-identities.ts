import { parseReference } from '../fhir/references.js';
import { FhirError } from '../model/errors.js';
import type { PartitionAssignment, PartitionScope } from '../model/partition.js';
import type { RequestDetails } from '../model/request.js';
import type { Resource } from '../model/resource.js';
import type { ConditionClaim, StoredVersion } from '../storage/store.js';
import type { EntryRequest } from './bundle-entry.js';
import {
  canonicalKey,
  type Condition,
  findMatch,
  parseCondition,
  toClaim,
  toCondition,
} from './condition.js';
import { singleHeader } from './find.js';
import { planCreation, planNothing } from './plan-write.js';
import type { Attempt, PlannedWrite } from './planned-write.js';
import type { ServerParts } from './server-parts.js';
import type { TransactionIdentifiers } from './transaction-identifiers.js';
import { planUpdate } from './update.js';

/** An entry whose identity is known, and how to plan it once its resource has been checked. */
export interface ResolvedEntry {
  readonly entry: EntryRequest;
  readonly plan: ResourcePlan;
}

/** Plans the write of the entry's checked resource. */
export type ResourcePlan = (resource: Resource) => Promise<PlannedWrite>;

/** What is found out about the entries of one transaction. */
export interface Identities {
  readonly server: ServerParts;
  readonly attempt: Attempt;
  /** Row ids of what the transaction deletes: conditions no longer match it. */
  readonly deleted: ReadonlySet<number>;
  /** What the entries call each other, and the reference that it becomes. */
  readonly names: Map<string, string>;
  /** The same for relative references, which stand below the sender's base: by base, then by reference. */
  readonly relativeNames: Map<string, Map<string, string>>;
  /** Reference of the entry that creates or updates under a condition, by the condition's key. */
  readonly conditions: Map<string, string>;
  readonly identifiers: TransactionIdentifiers;
}

/** What a create entry will be: a new resource, or the one that its condition matches. */
interface CreateIdentity {
  readonly id: string;
  readonly assignment: PartitionAssignment;
  readonly match: StoredVersion | undefined;
  readonly claim: ConditionClaim | undefined;
}

/** Decides which resource an entry creates or updates, before any of their references is replaced. */
export async function identify(identities: Identities, entry: EntryRequest): Promise<ResourcePlan> {
  const { server, attempt } = identities;
  const { request } = entry;
  if (request.interaction === 'create') {
    const identity = await identifyCreate(identities, entry);
    name(identities, entry, identity.match?.id ?? identity.id);
    return (resource) => planIdentified(server, request, { resource, identity });
  }
  if (request.interaction !== 'update') return async () => unplannable();
  if (request.resourceId === undefined) return identifyConditionalUpdate(identities, entry);
  name(identities, entry, request.resourceId);
  return (resource) => planUpdate(server, request, { resource, attempt });
}

async function identifyCreate(identities: Identities, entry: EntryRequest): Promise<CreateIdentity> {
  const { server, attempt } = identities;
  const { request } = entry;
  const resource = resourceOf(entry);
  const assignment = await server.resolver.resolveCreate(request, resource);
  const header = singleHeader(request, 'if-none-exist');
  if (header === undefined)
    return { id: await server.newId(), assignment, match: undefined, claim: undefined };
  const condition = parseCondition(resource.resourceType, header);
  const scope = server.resolver.scopeOfAssignment(assignment);
  const match = await matchOf(identities, request, scope, condition);
  const id = match?.id ?? (await server.newId());
  own(identities, condition, id);
  return { id, assignment, match, claim: toClaim(server, condition, attempt) };
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
async function identifyConditionalUpdate(identities: Identities, entry: EntryRequest): Promise<ResourcePlan> {
  const { server, attempt } = identities;
  const { request } = entry;
  const sent = resourceOf(entry);
  const scope = await server.resolver.resolveRead(request);
  const condition = toCondition(request.resourceType ?? '', request.parameters);
  const match = await matchOf(identities, request, scope, condition);
  const known = match?.id ?? sent.id;
  const id = known ?? (await server.newId());
  name(identities, entry, id);
  own(identities, condition, id);
  if (known !== undefined) return (resource) => planUpdate(server, request, { resource, attempt });
  const assignment = await server.resolver.resolveCreate(request, sent);
  const claim = toClaim(server, condition, attempt);
  return (resource) => planCreation(server, request, { resource, id, assignment, claim });
}

/** The match of a condition, without what the transaction itself deletes. @throws FhirError SEVERAL_MATCHES */
export async function matchOf(
  { server, deleted }: Identities,
  request: RequestDetails,
  scope: PartitionScope,
  condition: Condition,
): Promise<StoredVersion | undefined> {
  return findMatch(server, request, scope, { ...condition, except: deleted });
}

/** Two entries under one condition would be two answers to one question. */
function own({ server, conditions }: Identities, condition: Condition, id: string): void {
  const key = canonicalKey(server, condition);
  if (conditions.has(key)) {
    throw new FhirError('INVALID_REQUEST', 'Two entries of the transaction have the same condition.');
  }
  conditions.set(key, `${condition.type}/${id}`);
}

/** https://hl7.org/fhir/R4/bundle.html#references */
function name({ names, relativeNames, identifiers }: Identities, entry: EntryRequest, id: string): void {
  const { fullUrl, request, resource } = entry;
  const reference = `${request.resourceType}/${id}`;
  if (resource) identifiers.add(resource, reference);
  if (fullUrl === undefined) return;
  if (names.has(fullUrl)) {
    throw new FhirError('INVALID_REQUEST', `Two entries have the fullUrl '${fullUrl.slice(0, 200)}'.`);
  }
  names.set(fullUrl, reference);
  const parsed = parseReference(fullUrl);
  if (parsed.kind !== 'absolute') return;
  const below = relativeNames.get(parsed.base) ?? new Map<string, string>();
  relativeNames.set(parsed.base, below.set(`${parsed.type}/${parsed.id}`, reference));
}

function resourceOf({ resource, index }: EntryRequest): Resource {
  if (resource) return resource;
  throw new FhirError('INVALID_REQUEST', `Bundle.entry[${index}] has no resource.`, {
    expression: [`Bundle.entry[${index}].resource`],
  });
}

function unplannable(): never {
  throw new Error('Patches are not planned through their resource.');
}
