import { accessOfPrincipal } from '../../src/model/access.js';
import type { PartitionId, PartitionScope } from '../../src/model/partition.js';
import type { Principal } from '../../src/model/principal.js';
import type { Condition, IncludeQuery, SearchPlan, SearchStore } from '../../src/storage/search-store.js';
import type { HistoryQuery, ResourceStore, StoredVersion } from '../../src/storage/store.js';
import type { AccessLimits, LimitedScope } from '../../src/storage/within-access.js';
import { scopeOf } from './search/fixtures.js';

/** `version('Observation/x', 2, { text: '{}' })`: the first that is told of a resource is its current one. */
export function version(key: string, number: number, more: Partial<StoredVersion> = {}): StoredVersion {
  const [type = '', id = ''] = key.split('/');
  return {
    rowId: 1,
    partition: 1 as PartitionId,
    partitionDate: null,
    type,
    id,
    version: number,
    updated: number,
    deleted: false,
    text: '{}',
    ...more,
  };
}

/** A deletion. */
export const deletion = (key: string, number: number, more: Partial<StoredVersion> = {}): StoredVersion =>
  version(key, number, { deleted: true, text: null, ...more });

const MOST_ASKED = 10_000;

/** Stores over a list of versions, newest first, that remember what they were asked. */
export class MemoryStores {
  readonly asked: string[] = [];
  readonly plans: SearchPlan[] = [];
  readonly resources: ResourceStore;
  readonly search: SearchStore;
  /** What references lead to, from wherever. */
  readonly links: StoredVersion[] = [];

  constructor(private readonly versions: readonly StoredVersion[]) {
    this.resources = {
      read: async (scope, type, id) =>
        this.current(scope).filter((one) => one.type === type && one.id === id),
      readVersion: async (scope, type, id, number) =>
        this.historyOf(scope, { type, id, count: Infinity }).filter((one) => one.version === number),
      history: async (scope, query) => this.historyOf(scope, query).slice(0, query.count),
      countHistory: async (scope, query) => this.historyOf(scope, query).length,
      write: async () => this.ask('write'),
    };
    const found = async (scope: PartitionScope, plan: SearchPlan) => this.found(scope, plan);
    this.search = {
      page: async (scope, plan, { count }) => (await found(scope, plan)).slice(0, count),
      firstPage: async (scope, plan) => ({ rows: await found(scope, plan), counted: undefined }),
      count: async (scope, plan) => (await found(scope, plan)).length,
      match: found,
      explain: async (scope, plan) => (await found(scope, plan)).map(({ id }) => ({ sql: id, steps: [] })),
      hasStaleCopies: async () => true,
      linked: async (_scope, query) => this.linked(query),
    };
  }

  private ask(what: string): void {
    if (this.asked.push(what) > MOST_ASKED) throw new Error('It does not end.');
  }

  private current({ partitions }: PartitionScope): readonly StoredVersion[] {
    this.ask('read');
    const isNewest = (one: StoredVersion): boolean =>
      this.versions.find(({ rowId }) => rowId === one.rowId) === one;
    return this.versions.filter((one) => partitions.includes(one.partition) && isNewest(one));
  }

  private historyOf({ partitions }: PartitionScope, query: HistoryQuery): readonly StoredVersion[] {
    this.ask('history');
    const { type, id, after } = query;
    const all = this.versions.filter(
      (one) =>
        partitions.includes(one.partition) &&
        (type === undefined || one.type === type) &&
        (id === undefined || one.id === id),
    );
    const start = after && all.findIndex((one) => one.rowId === after.rowId && one.version === after.version);
    return start === undefined ? all : all.slice(start + 1);
  }

  private found(scope: PartitionScope, plan: SearchPlan) {
    this.ask('search');
    this.plans.push(plan);
    const types = [plan.type].flat();
    return this.current(scope)
      .filter((one) => !one.deleted && types.includes(one.type) && isMet(plan.where, one))
      .map((one) => ({ ...one, text: one.text ?? '', key: [] }));
  }

  private linked({ limit, direction }: IncludeQuery) {
    this.ask(`${direction} ${limit}`);
    return this.links.slice(0, limit).map((one) => ({ ...one, text: one.text ?? '', key: [] }));
  }
}

function isMet(condition: Condition, one: StoredVersion): boolean {
  switch (condition.kind) {
    case 'all':
      return condition.of.every((part) => isMet(part, one));
    case 'any':
      return condition.of.some((part) => isMet(part, one));
    case 'ids':
      return condition.ids.includes(one.id);
    case 'types':
      return condition.types.includes(one.type);
    default:
      throw new Error(`${condition.kind} is not known here.`);
  }
}

/** A scope of partition 1, or of several, with a token of these scopes for the patient p1. */
export function scopeWith(
  scopes: string,
  instance: LimitedScope['access']['instance'] = 'read',
  ...partitions: number[]
): LimitedScope {
  const principal: Principal = {
    issuer: 'https://issuer.example',
    scopes: scopes.split(' '),
    patient: 'p1',
    tenants: { kind: 'all' },
    admin: false,
    expires: 0,
  };
  const scope = scopeOf(...(partitions.length === 0 ? [1] : partitions));
  return { ...scope, types: null, access: { access: accessOfPrincipal(principal), instance } };
}

/** The text of a version that was within the limits. */
export const MINE = '{"of":"mine"}';

/** Limits by which a token has what is limited where its id is one of these; an old version where its text is MINE. */
export function limitsTo(...ids: readonly string[]): AccessLimits {
  const where: Condition = { kind: 'ids', ids };
  return {
    of: async ({ access: { access } }, permission, types) =>
      new Map(
        [...types].flatMap((type) => {
          const { kind } = access.grantOf(permission, type);
          return kind === 'none' ? [] : [[type, kind === 'all' ? null : where] as const];
        }),
      ),
    holds: async (_scope, _permission, { text }) => text === MINE,
  };
}
