import type { Knex } from 'knex';
import type { RowTest } from './predicates/row-test.js';
import { ContainedSql } from './search-contained.js';
import { isById, pickDriver, type DrivingShape } from './search-driver.js';
import { openElements } from './search-elements.js';
import { counted, hasFewer } from './search-few.js';
import { lackingResources, pickLacking } from './search-lacking.js';
import { INDEXED_BY_RESOURCE, type OpenRows, type RowSql } from './search-rows.js';
import type { RowsShape, Shape, TypedShape } from './search-shape.js';
import { toMarkers, type Slot, type SlotList } from './slots.js';

type Query = Knex.QueryBuilder;
type ChainShape = Extract<Shape, { kind: 'chain' }>;
type HasShape = Extract<Shape, { kind: 'has' }>;
type ResourceShape = Extract<Shape, { kind: 'resource' }>;

/** More alternatives than this are collected once instead of being tried for each resource. */
const MOST_SEEKS = 8;

/** SQLite puts no more than 500 queries into one union. */
const MOST_TERMS = 128;

/** The resource that a condition is about: the columns of its key in the query around it. */
export interface Subject {
  readonly id: string;
  readonly partition: string;
  /** The alias of HFJ_RESOURCE, where the query around stands on it. */
  readonly resource?: string;
  /** What finds the resources that are asked one after the other; `few`: it is certain that they are no more than that. */
  readonly among?: DrivingShape | 'few';
}

/** RES_ID alone, where it may come several times; or with PARTITION_ID, each once. */
export type Columns = 'ids' | 'rows';

/** Two ways to ask the same. */
interface Ways {
  /** The number of resources from which on everything is collected. */
  readonly many: Slot;
  /** A query that finds something for a resource. */
  readonly tried: () => Query;
  readonly collected: () => Knex.Raw;
}

/** Writes conditions as SQL: as a query that finds resources, or as a test on a resource that another query found. */
export class ConditionSql {
  private readonly sql: RowSql;
  /** Conditions on what resources contain. */
  readonly contained: ContainedSql;

  constructor(sql: RowSql) {
    this.sql = sql;
    this.contained = new ContainedSql(sql, (target) => this.matching(target, 'rows'));
  }

  /** The resources that match. */
  matching(typed: TypedShape, columns: Columns): Query {
    const driver = pickDriver(typed.where);
    if (driver === null) return this.undriven(typed, columns);
    if (driver.rest.length === 0) return this.driven(driver.shape, typed.types, columns);
    const name = this.sql.alias('m');
    const query = this.sql.dialect.knex
      .queryBuilder()
      .from(this.driven(driver.shape, typed.types, 'rows').as(name));
    const subject = { id: `${name}.RES_ID`, partition: `${name}.PARTITION_ID`, among: driver.shape };
    for (const part of driver.rest) this.hold(query, part, subject);
    return query.select(columnsOf(name, columns));
  }

  /** The resources behind the rows of one driving condition. */
  driven(shape: DrivingShape, types: TypedShape['types'], columns: Columns): Query {
    switch (shape.kind) {
      case 'rows':
        return this.union(
          (shape.tests ?? [null])
            .flatMap(waysTo)
            .map((test) => this.found(this.sql.rows(shape, test), columns)),
        );
      case 'element':
        return this.union(openElements(this.sql, shape, 'sought').map((rows) => this.found(rows, columns)));
      case 'contained':
        return this.union(this.contained.sought(shape).map((rows) => this.found(rows, columns)));
      case 'chain':
        return this.union(
          shape.targets.map((target) => this.found(this.linksTo(shape.params, target), columns)),
        );
      case 'has':
        return this.referredTo(shape, types, columns);
      case 'any':
        return this.union(shape.of.map((part) => this.matching({ types, where: part }, columns)));
    }
  }

  private undriven(typed: TypedShape, columns: Columns): Query {
    const lacking = pickLacking(typed.where);
    if (lacking === null) return this.live(typed, columns);
    const parts = { sql: this.sql, conditions: this };
    return lackingResources(parts, { types: typed.types, lacking }, columns);
  }

  /** Live resources of the type that match, straight from HFJ_RESOURCE. */
  private live(typed: TypedShape, columns: Columns): Query {
    const alias = this.sql.alias('r');
    const query = this.sql.tables.open('HFJ_RESOURCE', alias);
    this.holdLive(query, typed, alias);
    return query.select(columnsOf(alias, columns));
  }

  /** Restricts an open HFJ_RESOURCE to live resources of the type that match. */
  holdLive(query: Query, { types, where }: TypedShape, alias: string, among?: 'few'): void {
    this.sql.holdOne(query, `${alias}.RES_TYPE_ID`, types);
    query.whereRaw(`${alias}.RES_DELETED_AT is null`);
    const key = { id: `${alias}.RES_ID`, partition: `${alias}.PARTITION_ID` };
    const few = among ?? (isNamed(where) ? 'few' : undefined);
    this.hold(query, where, { ...key, resource: alias, ...(few && { among: few }) });
  }

  /** Adds a condition on a resource that the query walks. */
  hold(query: Query, shape: Shape, subject: Subject): void {
    switch (shape.kind) {
      case 'none':
        query.whereRaw('1 = 0');
        return;
      case 'all':
        for (const part of shape.of) this.hold(query, part, subject);
        return;
      case 'any':
        query.where((either) => {
          for (const part of shape.of) either.orWhere((one) => this.hold(one, part, subject));
        });
        return;
      case 'not':
      case 'lacking':
        query.whereNot((negated) => this.hold(negated, shape.of, subject));
        return;
      case 'resource':
        this.holdResource(query, shape, subject);
        return;
      case 'rows':
        this.holdRows(query, shape, subject);
        return;
      case 'element':
        query.where((either) => {
          for (const rows of openElements(this.sql, shape, 'probed'))
            either.orWhereExists(this.sql.dialect.tried(this.of(rows, subject)));
        });
        return;
      case 'contained':
        query.whereExists(this.contained.probed(shape, subject));
        return;
      case 'chain':
        query.where((either) => {
          for (const target of shape.targets) either.orWhere(this.refers(shape, target, subject));
        });
        return;
      case 'has':
        query.where(this.isReferred(shape, subject));
        return;
    }
  }

  private holdResource(query: Query, { sql, slots }: ResourceShape, subject: Subject): void {
    if (subject.resource !== undefined) {
      query.whereRaw(sql.replaceAll('@', subject.resource), toMarkers(slots));
      return;
    }
    const alias = this.sql.alias('r');
    const own = this.sql.tables.open('HFJ_RESOURCE', alias).select(this.sql.dialect.knex.raw('1'));
    own.whereRaw(`${alias}.RES_ID = ${subject.id}`).whereRaw(sql.replaceAll('@', alias), toMarkers(slots));
    query.whereExists(this.sql.dialect.tried(own));
  }

  private holdRows(query: Query, shape: RowsShape, subject: Subject): void {
    const tests = shape.tests ?? [null];
    if (tests.length > MOST_SEEKS || !tests.every((test) => isSeek(shape, test))) {
      query.where(
        this.isIn(
          subject.id,
          shape.tests === null ? this.present(shape) : this.driven(shape, NO_TYPES, 'ids'),
        ),
      );
      return;
    }
    query.where((either) => {
      for (const test of tests)
        either.orWhereExists(this.sql.dialect.tried(this.probed(shape, test, subject)));
    });
  }

  /**
   * The same where many resources are walked: the rows of a range are collected and their resources compared with it,
   * where there are no more than `most` of them.
   */
  holdForMany(query: Query, shape: Shape, subject: Subject, most: Slot | undefined): void {
    const [test = null, ...others] = (shape.kind === 'rows' && shape.tests) || [];
    if (most === undefined || shape.kind !== 'rows' || test?.reach !== 'range' || others.length > 0) {
      this.hold(query, shape, subject);
      return;
    }
    const { knex } = this.sql.dialect;
    const counts = waysTo(test).map((way) => {
      const { query: rows, alias } = this.sql.rows(shape, way);
      return counted(this.sql, rows.select(`${alias}.RES_ID`).limit(...(toMarkers([most]) as [number])));
    });
    const areFew = knex.raw(`${counts.map(() => '?').join(' + ')} < ?`, [...counts, ...toMarkers([most])]);
    const collected = this.isIn(subject.id, this.driven(shape, NO_TYPES, 'ids'));
    const either = [areFew, collected, this.exists(this.probed(shape, test, subject))];
    query.where(knex.raw('case when ? then ? else ? end', either));
  }

  /** The subject's own rows that pass the test. */
  private probed(shape: RowsShape, test: RowTest | null, subject: Subject): Query {
    if (test !== null || shape.target === null) return this.of(this.seekable(shape, test), subject);
    // The key of the links has all of a path in one stretch, which would be walked for each resource.
    return this.sql.rowsOfResource(shape, subject.id).query.select(this.sql.dialect.knex.raw('1'));
  }

  /** Whatever has a row: often most resources of a type. */
  private present(shape: RowsShape): Query {
    const { query, alias } = this.sql.rows(shape, null);
    return this.sql.dialect.collected(query, `${alias}.RES_ID`).select(`${alias}.RES_ID`);
  }

  /** Rows that a resource's own one is a seek away in. */
  private seekable(shape: RowsShape, test: RowTest | null): OpenRows {
    const opened = this.sql.rows(shape, test);
    if (test?.openSystem === undefined) return opened;
    opened.query.whereIn(`${opened.alias}.SYS_ID`, this.sql.systemsOf(shape, test.openSystem));
    return opened;
  }

  /** Only the subject's own rows. */
  private of({ query, alias }: OpenRows, subject: Subject): Query {
    query.whereRaw(`${alias}.RES_ID = ${subject.id}`).select(this.sql.dialect.knex.raw('1'));
    // The resource's own partition is a narrower key than the scope's list.
    return this.sql.tables.plural ? query.whereRaw(`${alias}.PARTITION_ID = ${subject.partition}`) : query;
  }

  private isIn(column: string, list: Query): Knex.Raw {
    const { knex, inList } = this.sql.dialect;
    return knex.raw(inList(column), [list]);
  }

  private linksTo(params: SlotList, target: TypedShape): OpenRows {
    const opened = this.sql.links(params);
    opened.query.whereIn(`${opened.alias}.TARGET_RES_ID`, this.matching(target, 'ids'));
    return opened;
  }

  /** The subject has a link to a target that matches. */
  private refers({ params, many }: ChainShape, target: TypedShape, subject: Subject): Knex.Raw {
    const { knex, inProbedList } = this.sql.dialect;
    return this.triedOrCollected(subject, {
      many,
      tried: () => {
        const opened = this.sql.links(params);
        return this.of(opened, subject).whereExists(this.other(target, `${opened.alias}.TARGET_RES_ID`));
      },
      collected: () => {
        const opened = this.sql.links(params);
        const isTarget = inProbedList(`${opened.alias}.TARGET_RES_ID`);
        const own = this.of(opened, subject).where(knex.raw(isTarget, [this.matching(target, 'ids')]));
        return this.exists(own);
      },
    });
  }

  /** A link of a resource that matches leads to the subject. */
  private isReferred(shape: HasShape, subject: Subject): Knex.Raw {
    return this.triedOrCollected(subject, {
      many: shape.many,
      tried: () => {
        const { query, alias } = this.sql.links(shape.params);
        query.whereRaw(`${alias}.TARGET_RES_ID = ${subject.id}`).select(this.sql.dialect.knex.raw('1'));
        return query.whereExists(this.other(shape.source, `${alias}.RES_ID`));
      },
      collected: () => this.isIn(subject.id, this.referred(shape)),
    });
  }

  /** The resource at the other end of a link, if it matches. */
  private other(typed: TypedShape, id: string): Query {
    const alias = this.sql.alias('r');
    const query = this.sql.tables.open('HFJ_RESOURCE', alias);
    query.whereRaw(`${alias}.RES_ID = ${id}`).select(this.sql.dialect.knex.raw('1'));
    this.holdLive(query, typed, alias, 'few');
    return this.sql.dialect.tried(query);
  }

  /** For few resources what each leads to is looked at; for many, all that can be led to is collected once. */
  private triedOrCollected({ among }: Subject, ways: Ways): Knex.Raw {
    if (among === undefined) return ways.collected();
    if (among === 'few') return this.exists(ways.tried());
    const few = hasFewer(this.sql, among, ways.many);
    if (few === undefined) return ways.collected();
    const either = [few, this.exists(ways.tried()), ways.collected()];
    return this.sql.dialect.knex.raw('case when ? then ? else ? end', either);
  }

  private exists(query: Query): Knex.Raw {
    return this.sql.dialect.knex.raw('exists ?', [this.sql.dialect.tried(query)]);
  }

  /** RES_IDs that matching resources refer to, whatever they are. */
  private referred(shape: HasShape): Query {
    const { query, alias } = this.linksOf(shape);
    return query.select(`${alias}.TARGET_RES_ID`);
  }

  /** The target of a link may lie outside of the scope or be of another type, so it is looked at itself. */
  private referredTo(shape: HasShape, types: TypedShape['types'], columns: Columns): Query {
    const { query, alias } = this.linksOf(shape);
    const target = this.sql.alias('r');
    this.sql.tables.join(query, 'HFJ_RESOURCE', target).whereRaw(`${target}.RES_ID = ${alias}.TARGET_RES_ID`);
    this.holdLive(query, { types, where: { kind: 'all', of: [] } }, target);
    return this.found({ query, alias: target }, columns);
  }

  private linksOf({ params, source }: HasShape): OpenRows {
    const name = this.sql.alias('m');
    const found = this.matching(source, 'rows').as(name);
    return this.sql.linksAt({ found, at: { column: 'RES_ID', value: `${name}.RES_ID` }, params });
  }

  /** Each row of all queries once. Large unions are unions of unions. */
  union(queries: readonly Query[]): Query {
    const [first, ...others] = queries;
    if (first === undefined) throw new Error('A union needs at least one query.');
    if (others.length === 0) return first;
    if (queries.length <= MOST_TERMS) return first.union(others);
    const parts = Array.from({ length: Math.ceil(queries.length / MOST_TERMS) }, (_, at) => {
      const part = this.union(queries.slice(at * MOST_TERMS, (at + 1) * MOST_TERMS));
      return this.sql.dialect.knex.select('*').from(part.as(this.sql.alias('u')));
    });
    return this.union(parts);
  }

  private found({ query, alias }: OpenRows, columns: Columns): Query {
    query.select(columnsOf(alias, columns));
    return columns === 'rows' ? query.distinct() : query;
  }
}

/** Index rows carry their type in PARAM_ID, so that nobody looks for it elsewhere. */
const NO_TYPES: SlotList = [];

/** Whether resources are asked for by their ids. */
function isNamed(where: Shape): boolean {
  return isById(where) || (where.kind === 'all' && where.of.some(isById));
}

/** Whether a resource's own row is a seek away. */
export function isSeek(shape: RowsShape, test: RowTest | null): boolean {
  return INDEXED_BY_RESOURCE.has(shape.index) || test?.reach === 'key' || test?.reach === 'system';
}

/** A test leads to rows in one way, or in several. */
function waysTo(test: RowTest | null): readonly (RowTest | null)[] {
  return test?.sought?.map((way) => ({ ...test, ...way })) ?? [test];
}

function columnsOf(alias: string, columns: Columns): string[] {
  return columns === 'ids' ? [`${alias}.RES_ID`] : [`${alias}.RES_ID`, `${alias}.PARTITION_ID`];
}
