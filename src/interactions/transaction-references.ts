import { copyNumberTexts } from '../fhir/json.js';
import { forEachReference, parseReference, type ParsedReference } from '../fhir/references.js';
import { rewriteReferences } from '../fhir/rewrite-references.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import type { TimeSlice } from '../storage/time-slice.js';
import type { EntryRequest } from './bundle-entry.js';
import { canonicalKey, parseCondition, severalMatches } from './condition.js';
import { atEntry } from './entry-error.js';
import { unknownTarget } from './incoming.js';
import type { Attempt } from './planned-write.js';
import type { ServerParts } from './server-parts.js';
import { TransactionIdentifiers } from './transaction-identifiers.js';
import {
  identify,
  type Identities,
  matchOf,
  type ResolvedEntry,
  type ResourcePlan,
} from './transaction-identities.js';

/** The entries that store something, and what is known when they are resolved. */
export interface EntriesToResolve {
  readonly entries: readonly EntryRequest[];
  readonly attempt: Attempt;
  readonly slice: TimeSlice;
  /** Row ids of what the transaction deletes. */
  readonly deleted: ReadonlySet<number>;
}

type ConditionalReference = Extract<ParsedReference, { kind: 'conditional' }>;

/**
 * Gives every entry its identity first, because entries may refer to each other in any order; then replaces
 * `urn:uuid:…`, full URLs and conditional references by the resources that they mean.
 */
export async function resolveEntries(
  server: ServerParts,
  parent: RequestDetails,
  { entries, attempt, slice, deleted }: EntriesToResolve,
): Promise<readonly ResolvedEntry[]> {
  const identities: Identities = {
    server,
    attempt,
    deleted,
    names: new Map(),
    relativeNames: new Map(),
    conditions: new Map(),
    identifiers: new TransactionIdentifiers(),
  };
  const plans: ResourcePlan[] = [];
  for (const entry of entries) {
    plans.push(await atEntry(entry.index, () => identify(identities, entry)));
    if (slice.isOver()) await slice.yield();
  }
  for (const entry of entries) {
    await atEntry(entry.index, () => resolveReferences(identities, parent, entry));
    if (slice.isOver()) await slice.yield();
  }
  const namesBelow = withRelativeNames(identities);
  const resolved: ResolvedEntry[] = [];
  for (const [index, entry] of entries.entries()) {
    resolved.push({ entry: rewritten(namesBelow, entry), plan: plans[index]! });
    if (slice.isOver()) await slice.yield();
  }
  return resolved;
}

/**
 * Conditional references are searched once each, in the scope of the transaction.
 * @throws FhirError REFERENCE_NOT_FOUND also for a `urn:uuid:…` or `urn:oid:…` that no entry has.
 */
async function resolveReferences(
  identities: Identities,
  parent: RequestDetails,
  { resource }: EntryRequest,
): Promise<void> {
  if (!resource) return;
  const { names } = identities;
  const conditional = new Map<string, string>();
  forEachReference(resource, (found) => {
    const { text } = found;
    if (names.has(text)) return;
    if (text.includes('?')) conditional.set(text, found.expression);
    else if (/^urn:(uuid|oid):/i.test(text)) throw unknownTarget(text.slice(0, 200), found.expression);
  });
  for (const [text, expression] of conditional) {
    const parsed = parseReference(text);
    if (parsed.kind !== 'conditional') continue;
    const reference = await targetOf(identities, parent, parsed);
    if (reference === undefined) {
      const message = `Conditional reference '${text.slice(0, 200)}' matches nothing.`;
      throw new FhirError('REFERENCE_NOT_FOUND', message, { expression: [expression] });
    }
    names.set(text, reference);
  }
}

/**
 * The entry that is created or updated under the condition, else the one resource that matches, of those that are
 * stored and of those that will be.
 * @throws FhirError SEVERAL_MATCHES
 */
async function targetOf(
  identities: Identities,
  parent: RequestDetails,
  { type, query }: ConditionalReference,
): Promise<string | undefined> {
  const { server, conditions, identifiers } = identities;
  const condition = parseCondition(type, query);
  const own = conditions.get(canonicalKey(server, condition));
  if (own !== undefined) return own;
  const search = { ...parent, interaction: 'search-type', resourceType: type } as const;
  const scope = await server.resolver.resolveRead(search);
  const match = await matchOf(identities, parent, scope, condition);
  const matches = new Set(identifiers.matching(condition));
  if (match) matches.add(`${match.type}/${match.id}`);
  if (matches.size > 1) throw severalMatches(type);
  return [...matches][0];
}

/** For each sender's base: all names, and those of relative references below the base. */
function withRelativeNames({
  names,
  relativeNames,
}: Identities): (fullUrl: string | undefined) => ReadonlyMap<string, string> {
  const merged = new Map([...relativeNames].map(([base, below]) => [base, new Map([...names, ...below])]));
  return (fullUrl) => {
    const parsed = fullUrl === undefined ? undefined : parseReference(fullUrl);
    return (parsed?.kind === 'absolute' ? merged.get(parsed.base) : undefined) ?? names;
  };
}

function rewritten(
  namesBelow: (fullUrl: string | undefined) => ReadonlyMap<string, string>,
  entry: EntryRequest,
): EntryRequest {
  if (!entry.resource) return entry;
  const resource = rewriteReferences(entry.resource, namesBelow(entry.fullUrl));
  return { ...entry, resource: copyNumberTexts(entry.resource, resource) };
}
