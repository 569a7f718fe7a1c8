import { LRUCache } from 'lru-cache';
import type { Knex } from 'knex';
import { FhirError } from '../../model/errors.js';
import type { PartitionScope } from '../../model/partition.js';
import type { IncludeQuery, SearchPlan, SearchWindow } from '../search-store.js';
import { STALE_COPIES } from './copies.js';
import type { Dictionary } from './dictionary.js';
import type { SystemIds } from './predicates/system.js';
import { ScopedTables } from './scoped-tables.js';
import { toLinkShape, writeLinked } from './search-links.js';
import type { After } from './search-order.js';
import { orderedWalk } from './search-ordered.js';
import { type CountSlots, writeCount, writeOrdered, writePage, writeRowIds } from './search-page.js';
import type { SearchDialect } from './search-dialect.js';
import { RowSql } from './search-rows.js';
import { type PlanShape, ShapeMaker } from './search-shape.js';
import { isEmpty, type Slot, Slots, toMarkers, toSlots } from './slots.js';
import type { SqlStatement } from './sql-reader.js';
import { canBeginAt } from './standing-order.js';

/** Includes name no systems. */
const NO_SYSTEMS: SystemIds = () => undefined;

/** More index rows than this a resource seldom has on one path. */
const ROWS_OF_ONE = 4;

/** How many statements are kept; each is some kilobytes. */
const MAX_STATEMENTS = 500;

/** A probe looks at no more index rows than these, and so does the page of a search that has fewer. */
const MOST_PROBED = 250;

/** SQL without values: the slot of each `?`. */
interface CompiledSql {
  readonly sql: string;
  readonly slots: readonly Slot[];
}

/** A statement without values. */
interface CompiledStatement extends CompiledSql {
  readonly probe: CompiledSql | undefined;
  readonly cost: SqlStatement['cost'];
  readonly plan: SqlStatement['plan'];
}

/** What a writer answers: the query, what it may cost, and how to plan it. */
export interface WrittenQuery {
  readonly query: Knex.QueryBuilder;
  readonly cost: SqlStatement['cost'];
  readonly plan: SqlStatement['plan'];
  /** See SqlProbe. */
  readonly probe?: Knex.QueryBuilder | undefined;
}

/** Where a plan is searched, and the systems that it names. */
export interface Searching {
  readonly scope: PartitionScope;
  readonly systemIds: SystemIds;
}

/** A statement by its key, and what it is filled with. */
interface Wanted {
  readonly key: string;
  readonly scope: PartitionScope;
  readonly slots: Slots;
}

/** The parts of one statement that is being prepared. */
interface Preparation {
  readonly slots: Slots;
  readonly tables: ScopedTables;
  readonly shapes: ShapeMaker;
}

/**
 * Turns plans into statements. knex writes the SQL once for each shape; after that a search only collects its
 * values. The key of a statement names every slot that it uses: equal keys, equal places of all values. A null
 * answer means that nothing can match.
 */
export class SearchQueries {
  private readonly dictionary: Dictionary;
  private readonly dialect: SearchDialect;
  private readonly compiled = new LRUCache<string, CompiledStatement>({ max: MAX_STATEMENTS });

  constructor(dictionary: Dictionary, dialect: SearchDialect) {
    this.dictionary = dictionary;
    this.dialect = dialect;
  }

  /** Rows of one type with their keys; see ROW_COLUMNS. */
  page(search: Searching, plan: SearchPlan, window: SearchWindow): SqlStatement | null {
    const { slots, tables, shapes } = this.prepare(search);
    const shape = shapes.plan(plan);
    if (shape === null) return null;
    assertFits(window, shape, tables);
    const probed = slots.add(MOST_PROBED);
    const page = { after: afterSlots(window, slots), limit: slots.add(window.count), probed };
    const { texts } = window;
    const key = `page ${texts ?? ''} ${tables.shape} ${JSON.stringify([shape, page])}`;
    return this.statement({ key, scope: search.scope, slots }, () =>
      writePage(this.rowSql(tables, texts), shape, page),
    );
  }

  /**
   * The same page from a walk along an index, which looks at little more than the page; null where none has its order.
   * Where it answers fewer rows than a page has, it is not the page.
   */
  orderedPage(search: Searching, plan: SearchPlan, window: SearchWindow): SqlStatement | null {
    if (plan.sort[0]?.by !== 'index' || search.scope.partitions.length > 1) return null;
    const { slots, tables, shapes } = this.prepare(search);
    const shape = shapes.plan(plan);
    const after = afterSlots(window, slots);
    const reach = slots.add(window.count * ROWS_OF_ONE);
    const page = { after, limit: slots.add(window.count), reach };
    const walk = shape && orderedWalk(shape, page);
    if (shape === null || walk === null) return null;
    const key = `ordered ${tables.shape} ${JSON.stringify([shape, page])}`;
    return this.statement({ key, scope: search.scope, slots }, () =>
      writeOrdered(this.rowSql(tables), shape, walk),
    );
  }

  /** One row with one number. */
  count(search: Searching, plan: SearchPlan, limit?: number): SqlStatement | null {
    const { slots, tables, shapes } = this.prepare(search);
    const typed = shapes.plan({ ...plan, sort: [] });
    if (typed === null) return null;
    const up = limit === undefined ? null : this.upTo(limit, slots);
    const key = `count ${tables.shape} ${JSON.stringify([typed, up])}`;
    return this.statement({ key, scope: search.scope, slots }, () =>
      writeCount(this.rowSql(tables), typed, up),
    );
  }

  /** RES_ID of everything that matches, each once and in order. */
  rowIds(search: Searching, plan: SearchPlan): SqlStatement | null {
    const { slots, tables, shapes } = this.prepare(search);
    const shape = shapes.plan({ ...plan, sort: [] });
    if (shape === null) return null;
    const key = `row ids ${tables.shape} ${JSON.stringify(shape)}`;
    return this.statement({ key, scope: search.scope, slots }, () => writeRowIds(this.rowSql(tables), shape));
  }

  /** Resources at the other end of references: rows of any type, without keys; see ROW_COLUMNS. */
  linked(scope: PartitionScope, query: IncludeQuery): SqlStatement | null {
    const { slots, tables, shapes } = this.prepare({ scope, systemIds: NO_SYSTEMS });
    const shape = toLinkShape(query, { slots, shapes, dictionary: this.dictionary });
    if (shape === null) return null;
    const key = `linked ${tables.shape} ${JSON.stringify(shape)}`;
    return this.statement({ key, scope, slots }, () => writeLinked(this.rowSql(tables), shape));
  }

  /** A row, if copies of values of these types are stale. */
  staleCopies(scope: PartitionScope, types: readonly string[]): SqlStatement | null {
    const { slots, tables, shapes } = this.prepare({ scope, systemIds: NO_SYSTEMS });
    const params = shapes.params(
      'composite',
      types.map((type) => ({ type, paths: [STALE_COPIES] })),
    );
    if (isEmpty(params)) return null;
    const one = slots.add(1);
    const key = `stale ${tables.shape} ${JSON.stringify([params, one])}`;
    return this.statement({ key, scope, slots }, () => {
      const { query } = this.rowSql(tables).paths('HFJ_SPIDX_COMPOSITE', params);
      query.select(this.dialect.knex.raw('1')).limit(...(toMarkers([one]) as [number]));
      return { query, cost: 'cheap', plan: 'generic' };
    });
  }

  private upTo(limit: number, slots: Slots): CountSlots {
    const { mostCollected } = this.dialect;
    const collected = mostCollected === null ? {} : { collected: slots.add(mostCollected) };
    return { limit: slots.add(limit), probed: slots.add(MOST_PROBED), ...collected };
  }

  private prepare({ scope, systemIds }: Searching): Preparation {
    const { dictionary, dialect } = this;
    const slots = new Slots();
    const { partitions } = scope;
    const tables = new ScopedTables(dialect, scope, slots);
    return { slots, tables, shapes: new ShapeMaker({ dictionary, dialect, slots, systemIds, partitions }) };
  }

  private rowSql(tables: ScopedTables, texts?: SearchWindow['texts']): RowSql {
    return new RowSql(tables, this.dialect, texts);
  }

  private statement({ key, scope, slots }: Wanted, write: () => WrittenQuery): SqlStatement {
    const { cost, plan, probe, ...page } = this.compiled.get(key) ?? this.compile(key, write());
    const { partitions } = scope;
    const statement = { ...this.filled(page, slots), cost, plan, partitions };
    return probe ? { ...statement, probe: { ...this.filled(probe, slots), most: MOST_PROBED } } : statement;
  }

  private filled({ sql, slots: used }: CompiledSql, slots: Slots): Pick<SqlStatement, 'sql' | 'bindings'> {
    return { sql, bindings: used.map((slot) => this.dialect.toBinding(slots.values[slot] ?? null)) };
  }

  private compile(key: string, { query, probe, cost, plan }: WrittenQuery): CompiledStatement {
    const compiled = { ...compileSql(query), probe: probe && compileSql(probe), cost, plan };
    this.compiled.set(key, compiled);
    return compiled;
  }
}

function compileSql(query: Knex.QueryBuilder): CompiledSql {
  const { sql, bindings } = query.toSQL().toNative();
  return { sql, slots: toSlots(bindings) };
}

/** @throws FhirError UNKNOWN_PAGE_LINK where the page began in another order */
function assertFits({ after }: SearchWindow, shape: PlanShape, tables: ScopedTables): void {
  if (after === undefined || canBeginAt(after, shape, tables)) return;
  throw new FhirError(
    'UNKNOWN_PAGE_LINK',
    'The order of this search has changed since its page link was made.',
  );
}

function afterSlots({ after }: SearchWindow, slots: Slots): After | null {
  return after?.map((value) => (value === null ? null : slots.add(value))) ?? null;
}
