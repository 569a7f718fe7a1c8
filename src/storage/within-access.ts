import { parseReference } from '../fhir/references.js';
import { parseStored } from '../fhir/json.js';
import { FhirError } from '../model/errors.js';
import { isGrantedWhole, isToldByContext, type ScopedAccess } from '../model/access.js';
import type { PartitionScope } from '../model/partition.js';
import type { Permission } from '../model/smart-scope.js';
import { type Limits, planWithin, typesIn } from './plan-within.js';
import type { Condition, IncludeQuery, SearchPlan, SearchRow, SearchStore } from './search-store.js';
import type { HistoryKey, HistoryQuery, ResourceStore, StoredVersion } from './store.js';

/** The two stores that see resources. */
interface Stores {
  readonly resources: ResourceStore;
  readonly search: SearchStore;
}

/** What an access grants, in the words of the store. */
export interface AccessLimits {
  /** What resources of the types must be for the permission. */
  of(scope: LimitedScope, permission: Permission, types: Iterable<string>): Promise<Limits>;
  /** Whether a version that is not the current one is within the limits; false where it can't be told. */
  holds(scope: LimitedScope, permission: Permission, version: StoredVersion): Promise<boolean>;
}

/** A scope whose reader does not see everything. */
export type LimitedScope = PartitionScope & { readonly access: ScopedAccess };

const BINARY = 'Binary';
/** Values of one statement. */
const CHUNK = 500;
/** References that are followed at most to find as many resources as may be seen. */
const MOST_LINKED = 50_000;
/** Versions that are read at once, and at most, to find those that may be seen. */
const VERSIONS = 100;
const MOST_VERSIONS = 10_000;

/**
 * The same stores, in which a scope with an access (see PartitionScope) has nothing that the access does not grant: not
 * by id, not as an earlier version, not as a match, not at the other end of a chain, `_has` or include. Other scopes
 * cost one comparison, and types that are granted without limits one look.
 */
export function withinAccess({ resources, search }: Stores, limits: AccessLimits): Stores {
  return {
    resources: new ResourcesWithin(resources, { store: search, limits }),
    search: searchWithin(search, limits),
  };
}

function isLimited(scope: PartitionScope): scope is LimitedScope {
  return scope.access !== undefined;
}

/**
 * Told without a wait, as this stands on the path of every read. The history of one resource is reading it, that of a
 * type or of all is a search.
 */
function isWhole(
  { access, instance }: ScopedAccess,
  { type = '*', id }: Pick<HistoryQuery, 'type' | 'id'>,
): boolean {
  return isGrantedWhole(access, id === undefined ? 'search' : instance, type);
}

function searchWithin(store: SearchStore, limits: AccessLimits): SearchStore {
  const within = async (scope: PartitionScope, plan: SearchPlan): Promise<SearchPlan> =>
    isLimited(scope) ? planWithin(plan, await limits.of(scope, 'search', typesIn(plan))) : plan;
  return {
    page: async (scope, plan, window) => store.page(scope, await within(scope, plan), window),
    firstPage: async (scope, plan, window) => store.firstPage(scope, await within(scope, plan), window),
    count: async (scope, plan, limit) => store.count(scope, await within(scope, plan), limit),
    match: async (scope, plan) => store.match(scope, await within(scope, plan)),
    explain: async (scope, plan, window) => store.explain(scope, await within(scope, plan), window),
    hasStaleCopies: (scope, types) => store.hasStaleCopies(scope, types),
    linked: (scope, query) =>
      isLimited(scope) ? linkedWithin({ store, limits }, scope, query) : store.linked(scope, query),
  };
}

interface Looking {
  readonly store: SearchStore;
  readonly limits: AccessLimits;
}

/**
 * What a reference leads to is read, what refers back is searched. So many more references are followed as lead to what
 * can't be seen. @throws FhirError LIMIT_EXCEEDED
 */
async function linkedWithin(
  looking: Looking,
  scope: LimitedScope,
  query: IncludeQuery,
): Promise<readonly SearchRow[]> {
  const permission = query.direction === 'include' ? 'read' : 'search';
  for (let limit = query.limit; limit <= MOST_LINKED; limit *= 4) {
    const rows = await looking.store.linked(scope, { ...query, limit });
    const seen = await rowsWithin(looking, scope, { permission, rows });
    if (rows.length < limit || seen.length >= query.limit) return seen.slice(0, query.limit);
  }
  throw new FhirError('LIMIT_EXCEEDED', 'Too many references lead to what the token does not open.');
}

interface Rows<Version> {
  readonly permission: Permission;
  readonly rows: readonly Version[];
}

async function rowsWithin<Version extends StoredVersion>(
  looking: Looking,
  scope: LimitedScope,
  { permission, rows }: Rows<Version>,
): Promise<readonly Version[]> {
  const byType = Map.groupBy(rows, ({ type }) => type);
  const granted = await looking.limits.of(scope, permission, byType.keys());
  const seen = new Set<Version>();
  for (const [type, found] of byType) {
    const limit = granted.get(type);
    if (limit === undefined) continue;
    const visible = limit === null ? found : await visibleOf(looking.store, scope, { type, found, limit });
    for (const row of visible) seen.add(row);
  }
  return rows.filter((row) => seen.has(row));
}

interface Found<Version> {
  readonly type: string;
  readonly found: readonly Version[];
  readonly limit: Condition;
}

/**
 * Those that are current and meet the limit: what was read before a change is not judged by what it became, and of a
 * deletion nobody can tell any more whose it was.
 */
async function visibleOf<Version extends StoredVersion>(
  store: SearchStore,
  scope: PartitionScope,
  { type, found, limit }: Found<Version>,
): Promise<readonly Version[]> {
  const current = new Map<number, number>();
  const ids = [...new Set(found.map(({ id }) => id))];
  for (let start = 0; start < ids.length; start += CHUNK) {
    const some = ids.slice(start, start + CHUNK);
    const where: Condition = { kind: 'all', of: [{ kind: 'ids', ids: some }, limit] };
    const count = some.length * scope.partitions.length;
    const rows = await store.page(scope, { type, where, sort: [] }, { count, texts: 'left out' });
    for (const { rowId, version } of rows) current.set(rowId, version);
  }
  return found.filter(({ rowId, version, deleted }) => !deleted && current.get(rowId) === version);
}

class ResourcesWithin implements ResourceStore {
  constructor(
    private readonly resources: ResourceStore,
    private readonly looking: Looking,
  ) {}

  async read(scope: PartitionScope, type: string, id: string): Promise<readonly StoredVersion[]> {
    const found = await this.resources.read(scope, type, id);
    if (!isLimited(scope) || isWhole(scope.access, { type, id })) return found;
    if (isToldByContext(scope.access.access, type)) return this.binariesWithin(scope, found);
    return rowsWithin(this.looking, scope, { permission: scope.access.instance, rows: found });
  }

  async readVersion(
    scope: PartitionScope,
    type: string,
    id: string,
    version: number,
  ): Promise<readonly StoredVersion[]> {
    const found = await this.resources.readVersion(scope, type, id, version);
    if (!isLimited(scope) || isWhole(scope.access, { type, id })) return found;
    return this.versionsWithin(scope, await this.read(scope, type, id), found);
  }

  async history(scope: PartitionScope, query: HistoryQuery): Promise<readonly StoredVersion[]> {
    if (!isLimited(scope) || isWhole(scope.access, query)) return this.resources.history(scope, query);
    const seen: StoredVersion[] = [];
    for await (const version of this.versionsOf(scope, query)) {
      seen.push(version);
      if (seen.length === query.count) break;
    }
    return seen;
  }

  async countHistory(scope: PartitionScope, query: HistoryQuery): Promise<number> {
    if (!isLimited(scope) || isWhole(scope.access, query)) return this.resources.countHistory(scope, query);
    let count = 0;
    const { after: _after, ...all } = query;
    for await (const _version of this.versionsOf(scope, all)) count += 1;
    return count;
  }

  write(...[unit]: Parameters<ResourceStore['write']>): Promise<void> {
    return this.resources.write(unit);
  }

  /** Versions of one resource that may be seen; of a type or of everything, none. */
  private async *versionsOf(scope: LimitedScope, query: HistoryQuery): AsyncIterable<StoredVersion> {
    const { type = '', id } = query;
    if (id === undefined) return;
    const current = await this.read(scope, type, id);
    if (current.length === 0) return;
    let after: HistoryKey | undefined = query.after;
    for (let read = 0; ; read += VERSIONS) {
      if (read > MOST_VERSIONS)
        throw new FhirError('LIMIT_EXCEEDED', 'The history is too long to be limited.');
      const page = { ...query, count: VERSIONS, ...(after && { after }) };
      const found = await this.resources.history(scope, page);
      yield* await this.versionsWithin(scope, current, found);
      if (found.length < VERSIONS) return;
      const { updated, rowId, version } = found.at(-1)!;
      after = { updated, rowId, version };
    }
  }

  /** Versions of what may be seen now, as far as they were within the limits themselves. */
  private async versionsWithin(
    scope: LimitedScope,
    current: readonly StoredVersion[],
    versions: readonly StoredVersion[],
  ): Promise<readonly StoredVersion[]> {
    const seen: StoredVersion[] = [];
    for (const version of versions) {
      const now = current.find(({ rowId }) => rowId === version.rowId);
      if (now === undefined) continue;
      if (version.deleted || version.version === now.version || (await this.held(scope, version)))
        seen.push(version);
    }
    return seen;
  }

  private async held(scope: LimitedScope, version: StoredVersion): Promise<boolean> {
    const { access, instance } = scope.access;
    if (!isToldByContext(access, version.type)) return this.looking.limits.holds(scope, instance, version);
    return (await this.binariesWithin(scope, [version])).length > 0;
  }

  /** A Binary is for whoever may read its security context: https://hl7.org/fhir/R4/binary.html#security. */
  private async binariesWithin(
    scope: LimitedScope,
    found: readonly StoredVersion[],
  ): Promise<readonly StoredVersion[]> {
    const { access, instance } = scope.access;
    const grant = access.grantOf(instance, BINARY);
    const isOpen = grant.kind === 'all';
    const isOfRecords =
      grant.kind === 'limited' &&
      grant.alternatives.some(({ patient, criteria }) => patient !== null && criteria.length === 0);
    const seen: StoredVersion[] = [];
    for (const version of found) {
      if (version.text === null) continue;
      const context = securityContextOf(version.text);
      if (
        context === undefined ? isOpen : (isOpen || isOfRecords) && (await this.isContextSeen(scope, context))
      )
        seen.push(version);
    }
    return seen;
  }

  private async isContextSeen(scope: LimitedScope, context: string): Promise<boolean> {
    const target = parseReference(context);
    if (target.kind !== 'relative' || target.type === BINARY) return false;
    const reading: LimitedScope = { ...scope, access: { ...scope.access, instance: 'read' } };
    const found = await this.read(reading, target.type, target.id);
    return found.some(({ deleted }) => !deleted);
  }
}

/** Undefined where there is none; a text that names nothing where it is no literal reference. */
function securityContextOf(text: string): string | undefined {
  const { securityContext } = parseStored(text) as {
    readonly securityContext?: { readonly reference?: unknown };
  };
  if (securityContext === undefined || securityContext === null) return undefined;
  return typeof securityContext.reference === 'string' ? securityContext.reference : '';
}
