import { FhirError } from '../model/errors.js';
import type { PartitionScope } from '../model/partition.js';
import type { QueryParameter, RequestDetails } from '../model/request.js';
import type { ConditionClaim, StoredVersion } from '../storage/store.js';
import type { Attempt } from './planned-write.js';
import { parseQuery } from './query.js';
import type { ServerParts } from './server-parts.js';

/** The criteria of a conditional interaction, and their canonical text for the claim. */
export interface Condition {
  readonly type: string;
  readonly parameters: readonly QueryParameter[];
  /** Row ids that do not count as matches. */
  readonly except?: ReadonlySet<number>;
}

/** What is not a criterion, though it may stand in the same query. */
const RESULT_PARAMETERS = new Set([
  '_format',
  '_pretty',
  '_summary',
  '_elements',
  '_count',
  '_total',
  '_sort',
]);

/** @throws FhirError INVALID_REQUEST for a condition without any criterion: it would match everything. */
export function toCondition(type: string, parameters: readonly QueryParameter[]): Condition {
  const criteria = parameters.filter(([name]) => !RESULT_PARAMETERS.has(name));
  if (criteria.length > 0) return { type, parameters: criteria };
  throw new FhirError(
    'INVALID_REQUEST',
    `A conditional interaction on ${type} needs at least one search parameter.`,
  );
}

/** The condition of a query such as `identifier=urn:x|1`, from a header or a bundle entry. */
export function parseCondition(type: string, query: string): Condition {
  const text = query.startsWith(`${type}?`) ? query.slice(type.length + 1) : query.replace(/^\?/, '');
  return toCondition(type, parseQuery(text));
}

/**
 * The one resource that matches inside the scope, or undefined.
 * @throws FhirError SEVERAL_MATCHES
 */
export async function findMatch(
  server: ServerParts,
  request: RequestDetails,
  scope: PartitionScope,
  condition: Condition,
): Promise<StoredVersion | undefined> {
  const { type, parameters, except } = condition;
  const found = await server.searcher.match(scope, request, type, parameters);
  const matches = except ? found.filter(({ rowId }) => !except.has(rowId)) : found;
  if (matches.length <= 1) return matches[0];
  throw severalMatches(type);
}

export function severalMatches(type: string): FhirError {
  return new FhirError('SEVERAL_MATCHES', `Several ${type} resources match the condition.`);
}

/** One text for all ways to write the condition. */
export function canonicalKey(server: ServerParts, { type, parameters }: Condition): string {
  return `${type}?${server.searcher.canonicalCondition(type, parameters)}`;
}

/** The claim that keeps identical conditional creates from making two resources. */
export function toClaim(server: ServerParts, condition: Condition, attempt: Attempt): ConditionClaim {
  const text = server.searcher.canonicalCondition(condition.type, condition.parameters);
  const staleHolder = attempt.staleHolders.get(`${condition.type}?${text}`);
  return { condition: text, ...(staleHolder === undefined ? {} : { replaces: staleHolder }) };
}
