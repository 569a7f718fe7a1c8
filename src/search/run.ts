import type { PartitionScope } from '../model/partition.js';
import type { CountedPage, RowKey, SearchPlan, SearchRow } from '../storage/search-store.js';
import { collectIncludes } from './include.js';
import type { CanonicalParts } from './include-canonical.js';
import { sealPage, type PageSeal, type PageState } from './page-token.js';
import { planRequest } from './plan-several.js';
import type { SearchLimits, SearchRequest } from './search-request.js';

/** What searches run with. */
export interface SearchRunner extends Omit<CanonicalParts, 'scope' | 'limit'> {
  readonly limits: SearchLimits;
  readonly seal: PageSeal;
}

/** Where a page goes on; from `openPage`. */
export type PageStart = Pick<PageState, 'after' | 'total'>;

/** One page of a search. */
export interface SearchResult {
  readonly request: SearchRequest;
  readonly matches: readonly SearchRow[];
  readonly included: readonly SearchRow[];
  /** More was to be included than the server's limit. */
  readonly truncated: boolean;
  readonly total: number | undefined;
  /** The first value of each match's key is how well it fits, up to MOST_RELEVANT. */
  readonly isRanked: boolean;
  /** The token of the next page. */
  readonly next: string | undefined;
}

/** What one search is about. */
interface Run extends SearchRunner {
  readonly scope: PartitionScope;
  readonly request: SearchRequest;
  readonly plan: SearchPlan;
  readonly start: PageStart | undefined;
}

/**
 * Runs a search in a scope, from the beginning or where a page link goes on.
 * @throws FhirError SEARCH_TIMEOUT
 */
export async function runSearch(
  runner: SearchRunner,
  scope: PartitionScope,
  request: SearchRequest,
  start?: PageStart,
): Promise<SearchResult> {
  const run: Run = { ...runner, scope, request, plan: planRequest(request), start };
  const isRanked = run.plan.sort[0]?.by === 'relevance';
  if (request.count === 0 || request.summary === 'count') {
    return { ...EMPTY, request, isRanked, total: await run.store.count(scope, run.plan) };
  }
  const { rows, counted } = await readPage(run);
  const isLast = rows.length <= request.count;
  const matches = isLast ? rows : rows.slice(0, request.count);
  const total = await totalOf(run, isLast ? matches.length : undefined, counted);
  const included =
    request.includes.length === 0
      ? NOTHING_INCLUDED
      : await collectIncludes({ ...run, includes: request.includes, limit: run.limits.maxIncluded }, matches);
  const last = matches.at(-1);
  const next = isLast || last === undefined ? undefined : sealNext(run, last.key, total);
  return { request, matches, included: included.rows, truncated: included.truncated, isRanked, total, next };
}

const NOTHING_INCLUDED = { rows: [], truncated: false } as const;

/** One row more than the page tells whether there is another page. */
async function readPage({ store, scope, plan, limits, start, request }: Run): Promise<CountedPage> {
  const count = request.count + 1;
  if (start === undefined && request.total === undefined)
    return store.firstPage(scope, plan, { count, countTo: limits.maxCounted + 1 });
  const after = start === undefined ? {} : { after: start.after };
  return { rows: await store.page(scope, plan, { count, ...after }), counted: undefined };
}

/** An estimate counts this many times as far as a total that nobody asked for, and says so many where there are more. */
const ESTIMATED = 10;

const EMPTY = { matches: [], included: [], truncated: false, next: undefined } as const;

/** `seen` is how many there are if the page is the only one, `counted` what was counted with it. */
async function totalOf(
  run: Run,
  seen: number | undefined,
  counted: number | undefined,
): Promise<number | undefined> {
  const { store, scope, plan, limits, start, request } = run;
  if (start !== undefined) return start.total ?? undefined;
  if (request.total === 'none') return undefined;
  if (seen !== undefined) return seen;
  if (request.total === 'estimate') return store.count(scope, plan, limits.maxCounted * ESTIMATED);
  if (request.total !== undefined) return store.count(scope, plan);
  return counted === undefined || counted > limits.maxCounted ? undefined : counted;
}

function sealNext({ request, scope, seal }: Run, after: RowKey, total: number | undefined): string {
  const { place, applied, asOf } = request;
  const page = { after, asOf, total: total ?? null };
  const state: PageState = { kind: 'search', place, parameters: applied, ...page };
  return sealPage(state, scope, seal);
}
