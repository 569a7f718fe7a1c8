import { LRUCache } from 'lru-cache';
import type { PartitionId } from '../../../model/partition.js';
import type { PgScope, PgStatement, PgValue } from './statement.js';

/** Sees the rows of one partition; never owns a table, never logs in. */
export const APPLICATION_ROLE = 'bulkhead_app';
/** Sees the rows of a list of partitions. */
export const SEVERAL_PARTITIONS_ROLE = 'bulkhead_app_many';
/** Owns the function that looks words up, and reads them; nothing runs in it but that. */
export const FULL_TEXT_ROLE = 'bulkhead_fulltext';
/** Settings of a transaction that the policies of row-level security read. */
export const PARTITION_SETTING = 'bulkhead.partition';
export const PARTITIONS_SETTING = 'bulkhead.partitions';

/** First half of the keys of advisory locks on partitions; the second is the partition's id. */
export const PARTITION_LOCK = 0x42_4b_48_44;
/** The advisory lock of whoever renews statistics; the second half of its key is 0. */
export const STATISTICS_LOCK = 0x42_4b_48_53;

/** How a transaction holds a partition: writers beside each other, or alone. */
export type PartitionLock = 'shared' | 'exclusive';

/** What a transaction does, which decides how it is planned and how long it may wait. */
export type Purpose =
  | { readonly kind: 'read' }
  /** One row by its key, in the order of the index that it is to be found by. */
  | { readonly kind: 'key' }
  /** In the order in which its tables stand, planned for its values or, where it is fixed, once for all. */
  | { readonly kind: 'search' | 'fixed search'; readonly timeoutMs: number }
  | { readonly kind: 'write'; readonly lock?: PartitionLock };

/** Longest wait of a writer for others, in milliseconds. */
export const LOCK_TIMEOUT_MS = 15_000;

/**
 * Longest run of a statement, in milliseconds: shorter than the longest wait for its answer, so that it ends on the
 * server, and is known to have come to nothing.
 */
const STATEMENT_TIMEOUT_MS = 50_000;

/** Longest pause within a transaction, in milliseconds: a server that stands still must not hold up the others. */
const PAUSE_TIMEOUT_MS = 60_000;

const BOUNDED: Setting = ['statement_timeout', String(STATEMENT_TIMEOUT_MS)];

const GENERIC_PLAN: Setting = ['plan_cache_mode', 'force_generic_plan'];
const CUSTOM_PLAN: Setting = ['plan_cache_mode', 'force_custom_plan'];

/** Index walks only: the tables may grow far beyond what they were when a statement was first planned. */
const INDEX_WALKS: readonly Setting[] = [
  ['enable_seqscan', 'off'],
  ['enable_hashjoin', 'off'],
  ['enable_mergejoin', 'off'],
];

const READ: readonly Setting[] = [...INDEX_WALKS, ['enable_bitmapscan', 'off'], ['jit', 'off']];

/**
 * How statements of equal text are planned: once for all values, since planning takes as long as a read itself; or each
 * time for its values, where a plan for all of them would span every native partition.
 */
export type Planning = 'once' | 'each time';

/**
 * Hash tables hold the lists that resources are looked up in, some millions of row ids. A merge join would walk all
 * resources of all partitions, where the planner takes a value for more frequent than it is.
 */
const SEARCH: readonly Setting[] = [
  ['join_collapse_limit', '1'],
  ['from_collapse_limit', '1'],
  ['enable_seqscan', 'off'],
  ['enable_bitmapscan', 'off'],
  ['enable_mergejoin', 'off'],
  ['max_parallel_workers_per_gather', '0'],
  ['work_mem', '32MB'],
  ['jit', 'off'],
];

/** What a plan for all values takes for few rows is looked up row by row, also where it guesses many. */
const NESTED: readonly Setting[] = [['enable_hashjoin', 'off']];

/** A setting that ends with the transaction. */
type Setting = readonly [name: string, value: string];

/** What every transaction runs in. */
export interface PrologueOptions {
  readonly scope: PgScope;
  readonly purpose: Purpose;
  /** Schema of the home, where it is not the connection's own. */
  readonly schema: string | null;
  /** Reads and writes; `once` if left out. Searches are always planned each time. */
  readonly planning?: Planning;
}

/** Texts by what they depend on; the values of a scope are bound. */
const texts = new LRUCache<string, string>({ max: 500 });

/**
 * The first statement of every transaction: the role, the partitions that row-level security lets through, and
 * how to plan. All of it ends with the transaction, so that nothing stays on a pooled connection.
 */
export function prologue(options: PrologueOptions): PgStatement {
  const { scope, purpose, schema, planning = 'once' } = options;
  const values: PgValue[] = scope === 'none' ? [] : [toList(scope)];
  if (schema !== null) values.push(`${schema}, pg_temp`);
  const locked = purpose.kind === 'write' && purpose.lock && scope !== 'none' ? scope : [];
  values.push(...locked);
  const detail = 'timeoutMs' in purpose ? purpose.timeoutMs : purpose.kind === 'write' ? purpose.lock : '';
  const kind = scope === 'none' ? 0 : Math.min(scope.length, 2);
  const name = `prologue ${kind} ${purpose.kind} ${detail} ${locked.length} ${planning} ${schema === null}`;
  let text = texts.get(name);
  if (text === undefined) texts.set(name, (text = toText(options, locked.length)));
  return { name, text, values };
}

/** Constants stand in the text, so that they need not be sent; what is bound comes in the order of `values`. */
function toText({ scope, purpose, schema, planning = 'once' }: PrologueOptions, locks: number): string {
  const fixed = [roleOf(scope), ...purposeSettings(purpose, planning)];
  const calls = fixed.map(([name, value]) => `set_config('${name}', '${value}', true)`);
  let parameter = 0;
  const bind = (name: string): number => calls.push(`set_config('${name}', $${++parameter}, true)`);
  if (scope !== 'none') bind(scope.length === 1 ? PARTITION_SETTING : PARTITIONS_SETTING);
  if (schema !== null) bind('search_path');
  if (purpose.kind === 'write' && purpose.lock) {
    const lock = LOCK_FUNCTIONS[purpose.lock];
    for (let index = 0; index < locks; index++) calls.push(`${lock}(${PARTITION_LOCK}, $${++parameter})`);
  }
  return `select ${calls.join(', ')}`;
}

const LOCK_FUNCTIONS: Readonly<Record<PartitionLock, string>> = {
  shared: 'pg_advisory_xact_lock_shared',
  exclusive: 'pg_advisory_xact_lock',
};

function roleOf(scope: PgScope): Setting {
  return ['role', scope === 'none' || scope.length === 1 ? APPLICATION_ROLE : SEVERAL_PARTITIONS_ROLE];
}

/** @throws Error for a scope without partitions */
function toList(scope: readonly PartitionId[]): string {
  const [only] = scope;
  if (only === undefined) throw new Error('A scope without partitions reads nothing.');
  return scope.length === 1 ? String(only) : scope.join(',');
}

function purposeSettings(purpose: Purpose, planning: Planning): readonly Setting[] {
  switch (purpose.kind) {
    case 'read':
      return [...READ, BOUNDED, planning === 'once' ? GENERIC_PLAN : CUSTOM_PLAN];
    case 'key':
      return [...purposeSettings({ kind: 'read' }, planning), ['enable_sort', 'off']];
    case 'search':
      return [...SEARCH, CUSTOM_PLAN, ['statement_timeout', String(purpose.timeoutMs)]];
    case 'fixed search':
      if (planning === 'each time') return purposeSettings({ ...purpose, kind: 'search' }, planning);
      return [...SEARCH, ...NESTED, GENERIC_PLAN, ['statement_timeout', String(purpose.timeoutMs)]];
    case 'write':
      return [
        ...INDEX_WALKS,
        ...(planning === 'once' ? [] : [CUSTOM_PLAN]),
        BOUNDED,
        ['lock_timeout', String(LOCK_TIMEOUT_MS)],
        ['idle_in_transaction_session_timeout', String(PAUSE_TIMEOUT_MS)],
      ];
  }
}
