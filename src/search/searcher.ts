import { isAboutWriting } from '../fhir/media-types.js';
import { isLenient } from '../fhir/prefer.js';
import { parseReference } from '../fhir/references.js';
import { FhirError } from '../model/errors.js';
import type { PartitionId, PartitionScope } from '../model/partition.js';
import type { QueryParameter, RequestDetails } from '../model/request.js';
import type { ExplainedStatement, SearchPlan, SearchRow, SearchStore } from '../storage/search-store.js';
import type { CodeLookup } from './code-lists.js';
import { canonicalCondition } from './condition.js';
import { pageLink } from './bundle.js';
import { openPage, pageKey, sealPage, type PageSeal, type PageState } from './page-token.js';
import type { CanonicalParts } from './include-canonical.js';
import { copiedTypes } from './lifted-chain.js';
import { parseSearch } from './parse.js';
import { assertNotContained } from './parse-contained.js';
import { parsePlace } from './parse-place.js';
import type { ParseContext } from './parse-context.js';
import { PendingParameters } from './pending-parameters.js';
import { planSearch } from './plan.js';
import { planRequest } from './plan-several.js';
import { assertSearchable } from './assert-searchable.js';
import { rememberedStore } from './remembered-store.js';
import { resolveSearch } from './resolve.js';
import { runSearch, type SearchResult, type SearchRunner } from './run.js';
import type { SearchLimits, SearchPlace, SearchRequest, TypedSearch } from './search-request.js';

/** What a server's search is made of. */
export interface SearcherParts {
  readonly store: SearchStore;
  /** What searches of a scope go by; a promise only where it has to be read. */
  readonly inForce: (scope: PartitionScope) => InForce | Promise<InForce>;
  /** Where value sets and code systems are looked up. */
  readonly codes: CodeLookup;
  /** DEFAULT's: what canonical URLs name is looked up there, if its type is kept there. */
  readonly definitions: PartitionScope;
  /** Told where copies of what chains lead to wait to be renewed. */
  readonly onStaleCopies?: (partition: PartitionId) => void;
  readonly limits: SearchLimits;
  /** Page links are sealed with it; servers of one installation share it. */
  readonly secret: string;
  /** Milliseconds that page links live. */
  readonly pageLifetime: number;
  /** Milliseconds since 1970 UTC. */
  readonly clock: () => number;
}

/** The search parameters in force, and the references that a resource is indexed by, by path. */
export type InForce = Pick<CanonicalParts, 'parameters' | 'referencesOf'>;

/** A search whose plan is asked for. */
export interface PlanQuestion {
  /** Absolute references below it are the server's own. */
  readonly base: string;
  readonly type: string;
  readonly parameters: readonly QueryParameter[];
}

/** A plan, and the statements that answer it. */
export interface ExplainedSearch {
  readonly plan: SearchPlan;
  readonly statements: readonly ExplainedStatement[];
}

/** Search as interactions use it: always in a scope that they were given. */
export class Searcher {
  private readonly parts: SearcherParts;
  private readonly runner: Omit<SearchRunner, keyof InForce>;
  private readonly seal: PageSeal;

  constructor(parts: SearcherParts) {
    this.parts = parts;
    this.seal = { key: pageKey(parts.secret), lifetime: parts.pageLifetime, now: parts.clock };
    this.runner = { ...parts, seal: this.seal };
  }

  /** `Prefer: handling=lenient` leaves out what is unknown. @throws FhirError see parsePlace */
  async parse(
    scope: PartitionScope,
    request: RequestDetails,
    place: string | SearchPlace,
    parameters: readonly QueryParameter[],
  ): Promise<SearchRequest> {
    const inForce = await this.parts.inForce(scope);
    const asked = typeof place === 'string' ? { type: place, compartment: null } : place;
    const handling = isLenient(request) ? 'lenient' : 'strict';
    const search = read(asked, parameters, this.context(request.base, inForce, handling));
    assertSearchable(search, scope);
    return search;
  }

  /**
   * What resources of a type must be for the parameters to find them; what has to be looked up first is looked up in
   * `store`, in which nothing changes meanwhile.
   * @throws FhirError see parseSearch
   */
  async planIn(store: SearchStore, scope: PartitionScope, question: PlanQuestion): Promise<SearchPlan> {
    const { base, type, parameters } = question;
    const inForce = await this.parts.inForce(scope);
    const search = parseSearch(type, parameters, this.context(base, inForce, 'strict'));
    return planSearch(await resolveSearch(search, { ...this.parts, store, scope }));
  }

  /** The first page of what was parsed. @throws FhirError SEARCH_TIMEOUT */
  async run(scope: PartitionScope, search: SearchRequest): Promise<SearchResult> {
    const runner = { ...this.runnerIn(scope), ...(await this.parts.inForce(scope)) };
    return this.answered(scope, search, (resolved) => runSearch(runner, scope, resolved));
  }

  /** A further page of a search. @throws FhirError SEARCH_TIMEOUT */
  async page(scope: PartitionScope, request: RequestDetails, state: PageState): Promise<SearchResult> {
    const inForce = await this.parts.inForce(scope);
    const context = { ...this.context(request.base, inForce, 'strict'), now: state.asOf };
    const search = read(state.place, state.parameters, context);
    const runner = { ...this.runnerIn(scope), ...inForce };
    return this.answered(scope, search, (resolved) => runSearch(runner, scope, resolved, state));
  }

  /** How the first page of what was parsed is found. */
  async explain(scope: PartitionScope, search: SearchRequest): Promise<ExplainedSearch> {
    const plan = planRequest(await this.resolve(scope, search));
    return { plan, statements: await this.parts.store.explain(scope, plan, { count: search.count + 1 }) };
  }

  /** All matches of what was parsed, in its order. @throws FhirError LIMIT_EXCEEDED where there are more than `limit` */
  async all(scope: PartitionScope, search: SearchRequest, limit: number): Promise<readonly SearchRow[]> {
    assertNotContained(search, 'by this operation');
    const plan = planRequest(await this.resolve(scope, search));
    const rows = await this.parts.store.page(scope, plan, { count: limit + 1 });
    if (rows.length <= limit) return rows;
    throw new FhirError('LIMIT_EXCEEDED', `There are more than ${limit} matches; narrow the search.`);
  }

  /** What a page link holds. @throws FhirError INVALID_PAGE_LINK, UNKNOWN_PAGE_LINK */
  openPage<State>(scope: PartitionScope, token: string): State {
    return openPage<State>(token, scope, this.seal);
  }

  /** The same for a page of DEFAULT, which the caller's own scope is not. */
  openPinnedPage<State>(scope: PartitionScope, token: string): State {
    return openPage<State>(token, this.definitionsIn(scope), this.seal);
  }

  /** A link to a page that `state` tells how to make; it is good for this scope alone. */
  pageUrl(request: RequestDetails, scope: PartitionScope, state: object): string {
    const writing = request.parameters.filter(isAboutWriting);
    return pageLink(request.base, sealPage(state, scope, this.seal), writing);
  }

  /**
   * At most two resources that match a condition; nothing of it is ever left out.
   * @throws FhirError see parseSearch; PRECONDITION_FAILED where a parameter does not find all data yet
   */
  async match(
    scope: PartitionScope,
    request: RequestDetails,
    type: string,
    parameters: readonly QueryParameter[],
  ): Promise<readonly SearchRow[]> {
    const inForce = await this.parts.inForce(scope);
    const pending = new PendingParameters(inForce.parameters);
    const context = { ...this.context(request.base, inForce, 'strict'), registry: pending };
    const search = parseSearch(type, parameters, context);
    pending.assertNone();
    assertNotContained(search, 'by conditions');
    assertSearchable(search, scope);
    return this.answered(scope, search, (resolved) =>
      this.parts.store.match(scope, planSearch({ ...resolved, sort: [] })),
    );
  }

  /** At most `count` resources of a plan. @throws FhirError SEARCH_TIMEOUT */
  matching(scope: PartitionScope, plan: SearchPlan, count: number): Promise<readonly SearchRow[]> {
    return this.parts.store.page(scope, plan, { count });
  }

  /** The text under which a condition is claimed. The claim itself is kept by type. */
  canonicalCondition(_type: string, parameters: readonly QueryParameter[]): string {
    return canonicalCondition(parameters);
  }

  /** Copies may have come to be stale, or another place's, since they were found to be right. */
  private async answered<Result>(
    scope: PartitionScope,
    search: SearchRequest,
    answer: (resolved: SearchRequest) => Promise<Result>,
  ): Promise<Result> {
    const resolved = await this.resolve(scope, search);
    const result = await answer(resolved);
    const types = copiedTypes([resolved, ...resolved.others].flatMap(({ criteria }) => criteria));
    if (types.length === 0 || !(await this.parts.store.hasStaleCopies(scope, types))) return result;
    return answer(await this.resolve(scope, search));
  }

  private async resolve(scope: PartitionScope, search: SearchRequest): Promise<SearchRequest> {
    const { store } = this.parts;
    const asked = search.others.length === 0 ? store : rememberedStore(store);
    const resolving = { ...this.parts, store: asked, scope, definitions: this.definitionsIn(scope) };
    const others: TypedSearch[] = [];
    for (const other of search.others) others.push(await resolveSearch(other, resolving));
    return { ...(await resolveSearch(search, resolving)), others };
  }

  /** DEFAULT's definitions, as far as the reader may see them. */
  private definitionsIn({ access }: PartitionScope): PartitionScope {
    const { definitions } = this.parts;
    return access === undefined ? definitions : { ...definitions, access };
  }

  private runnerIn(scope: PartitionScope): Omit<SearchRunner, keyof InForce> {
    return scope.access === undefined
      ? this.runner
      : { ...this.runner, definitions: this.definitionsIn(scope) };
  }

  private context(base: string, { parameters }: InForce, handling: ParseContext['handling']): ParseContext {
    const { limits, clock } = this.parts;
    return {
      registry: parameters,
      limits,
      handling,
      toLocal: (url) => toLocal(base, url),
      now: clock(),
    };
  }
}

function read(
  place: SearchPlace,
  parameters: readonly QueryParameter[],
  context: ParseContext,
): SearchRequest {
  const pending = new PendingParameters(context.registry);
  const search = parsePlace(place, parameters, { ...context, registry: pending });
  return { ...search, ignored: [...search.ignored, ...pending.warnings()] };
}

/** The resource that an absolute URL below the base names; null for any other URL. */
export function toLocal(base: string, url: string): { readonly type: string; readonly id: string } | null {
  if (!url.startsWith(`${base}/`)) return null;
  const reference = parseReference(url.slice(base.length + 1));
  return reference.kind === 'relative' ? { type: reference.type, id: reference.id } : null;
}
