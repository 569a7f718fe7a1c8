import { LRUCache } from 'lru-cache';
import { compartmentParameters } from '../fhir/compartments.js';
import { extractIndexValues } from '../fhir/extract.js';
import { parseStored } from '../fhir/json.js';
import type { SearchParameterRegistry } from '../fhir/search-parameters.js';
import { type AccessAlternative, isToldByContext } from '../model/access.js';
import { FhirError } from '../model/errors.js';
import type { PartitionScope } from '../model/partition.js';
import type { Resource } from '../model/resource.js';
import type { Permission } from '../model/smart-scope.js';
import { judgeCondition, type JudgedVersion } from '../storage/judge-condition.js';
import type { Limits } from '../storage/plan-within.js';
import type { Condition, SearchStore } from '../storage/search-store.js';
import type { StoredVersion } from '../storage/store.js';
import type { AccessLimits, LimitedScope } from '../storage/within-access.js';
import type { CodeLookup } from './code-lists.js';
import { parseSearch } from './parse.js';
import type { SearchParameterSource } from './parse-context.js';
import { PendingParameters } from './pending-parameters.js';
import { planSearch } from './plan.js';
import { resolveSearch } from './resolve.js';
import type { SearchLimits } from './search-request.js';

/** The search parameters in force somewhere; `current` is another one after every change. */
export interface ParametersNow extends SearchParameterSource {
  readonly current: SearchParameterRegistry;
}

/** What limits are planned with. */
export interface PlannedLimitsParts {
  /** In which nothing is limited. */
  readonly store: SearchStore;
  readonly inForce: (scope: PartitionScope) => ParametersNow | Promise<ParametersNow>;
  readonly codes: CodeLookup;
  readonly definitions: PartitionScope;
  readonly limits: SearchLimits;
  /** Milliseconds since 1970 UTC. */
  readonly clock: () => number;
}

/** Null: no limit. Undefined: nothing is granted. */
type Limit = Condition | null | undefined;

/** A limit, and whether it stays what it is while the search parameters do. */
interface Planned {
  readonly limit: Limit;
  readonly isLasting: boolean;
}

const MOST_KNOWN = 20_000;
const FINDING: ReadonlySet<Permission> = new Set(['read', 'search']);

/**
 * What tokens grant as conditions of searches: planned once for each token, permission and type, and anew when the search
 * parameters change. What can't be planned, or would not find all data yet, grants nothing.
 */
export class PlannedLimits implements AccessLimits {
  private readonly known = new WeakMap<
    SearchParameterRegistry,
    LRUCache<string, { readonly limit: Limit }>
  >();

  constructor(private readonly parts: PlannedLimitsParts) {}

  async of(scope: LimitedScope, permission: Permission, types: Iterable<string>): Promise<Limits> {
    const limits = new Map<string, Condition | null>();
    for (const type of types) {
      const limit = await this.limitOf(scope, permission, type);
      if (limit !== undefined) limits.set(type, limit);
    }
    return limits;
  }

  async holds(scope: LimitedScope, permission: Permission, version: StoredVersion): Promise<boolean> {
    if (version.text === null) return false;
    const { current } = await this.parts.inForce(scope);
    const index = extractIndexValues(parseStored(version.text) as Resource, current);
    return this.allows(scope, permission, { ...version, index });
  }

  /** Whether a version that is about to be written is within the limits; false where it can't be told. */
  async allows(scope: LimitedScope, permission: Permission, version: JudgedVersion): Promise<boolean> {
    const limit = await this.limitOf(scope, permission, version.type);
    if (limit === undefined) return false;
    return limit === null || judgeCondition(limit, version) === true;
  }

  private async limitOf(scope: LimitedScope, permission: Permission, type: string): Promise<Limit> {
    const { access } = scope.access;
    const grant = access.grantOf(permission, type);
    if (grant.kind === 'none') return undefined;
    if (FINDING.has(permission) && isToldByContext(access, type)) return undefined;
    if (grant.kind === 'all') return null;
    const parameters = await this.parts.inForce(scope);
    const known = this.knownBy(parameters.current);
    const key = `${access.digest} ${isOne(scope)} ${permission} ${type}`;
    const found = known.get(key);
    if (found !== undefined) return found.limit;
    const { limit, isLasting } = await this.plan(scope, parameters, {
      type,
      alternatives: grant.alternatives,
    });
    if (isLasting) known.set(key, { limit });
    return limit;
  }

  private knownBy(registry: SearchParameterRegistry): LRUCache<string, { readonly limit: Limit }> {
    const known = this.known.get(registry) ?? new LRUCache({ max: MOST_KNOWN });
    this.known.set(registry, known);
    return known;
  }

  private async plan(
    scope: LimitedScope,
    parameters: ParametersNow,
    { type, alternatives }: { readonly type: string; readonly alternatives: readonly AccessAlternative[] },
  ): Promise<Planned> {
    const of: Condition[] = [];
    let isLasting = true;
    for (const { patient, criteria } of alternatives) {
      const member = patient === null ? ALWAYS : membership(type, patient, { scope, parameters });
      if (member === undefined) continue;
      const asked =
        criteria.length === 0 ? LASTING : await this.planCriteria(scope, parameters, { type, criteria });
      isLasting &&= asked.isLasting;
      if (asked.limit) of.push({ kind: 'all', of: [member, asked.limit] });
    }
    return { limit: of.length === 0 ? undefined : { kind: 'any', of }, isLasting };
  }

  /** Searches by the parameters of the type, without anything that leads to other resources. */
  private async planCriteria(
    scope: LimitedScope,
    parameters: ParametersNow,
    { type, criteria }: { readonly type: string; readonly criteria: AccessAlternative['criteria'] },
  ): Promise<Planned> {
    const { store, codes, definitions, limits, clock } = this.parts;
    const pending = new PendingParameters(parameters);
    const context = {
      registry: pending,
      limits,
      handling: 'strict',
      toLocal: () => null,
      now: clock(),
    } as const;
    try {
      const search = parseSearch(type, criteria, context);
      pending.assertNone();
      if (search.criteria.length !== criteria.length) return NOTHING;
      const { access: _access, ...everything } = scope;
      const resolving = { store, codes, definitions, limits, scope: everything as PartitionScope };
      const resolved = await resolveSearch(search, resolving);
      return { limit: planSearch({ ...resolved, sort: [] }).where, isLasting: resolved === search };
    } catch (error) {
      if (error instanceof FhirError) return { limit: undefined, isLasting: false };
      throw error;
    }
  }
}

const ALWAYS: Condition = { kind: 'all', of: [] };
const LASTING: Planned = { limit: ALWAYS, isLasting: true };
const NOTHING: Planned = { limit: undefined, isLasting: true };

/** One id may be that of several patients where several partitions are looked into. */
function isOne({ partitions, all }: PartitionScope): boolean {
  return partitions.length === 1 && !all;
}

/** Undefined where resources of the type belong to no patient. A link to another patient does not join their records. */
function membership(
  type: string,
  patient: string,
  { scope, parameters }: { readonly scope: PartitionScope; readonly parameters: ParametersNow },
): Condition | undefined {
  if (!isOne(scope)) return undefined;
  if (type === 'Patient') return { kind: 'ids', ids: [patient] };
  const codes = compartmentParameters('Patient', type);
  const paths = [...new Set(codes.flatMap((code) => parameters.find(type, code)?.paths ?? []))];
  if (paths.length === 0) return undefined;
  const tests = [{ kind: 'local' as const, types: ['Patient'], id: patient }];
  return { kind: 'index', index: 'reference', type, paths, targetFilter: null, tests };
}
