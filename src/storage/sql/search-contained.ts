import type { Knex } from 'knex';
import { partWeight } from './search-driver.js';
import { type Access, openElements, openPart } from './search-elements.js';
import type { ContainedShape, LeadsShape, PartShape } from './search-part-shape.js';
import type { OpenRows, RowSql } from './search-rows.js';
import type { RowsShape, TypedShape } from './search-shape.js';
import { toMarkers } from './slots.js';

type Query = Knex.QueryBuilder;

/** The contained resource that a condition is about: columns of the query around it. */
interface PartSubject {
  readonly id: string;
  readonly partition: string;
  /** The number of the contained resource. */
  readonly number: string;
}

/** Resources that match, as RES_ID and PARTITION_ID. */
type Matching = (target: TypedShape) => Query;

/** Writes conditions on contained resources as SQL over the container's rows of elements. */
export class ContainedSql {
  constructor(
    private readonly sql: RowSql,
    private readonly matching: Matching,
  ) {}

  /**
   * Rows of the contained resources for which the condition holds, perhaps several of one: one query for each
   * alternative of the most telling part.
   */
  sought(shape: ContainedShape): readonly OpenRows[] {
    const parts = partsOf(shape);
    const driver = pickPart(parts);
    if (driver === null) return [this.base(shape, 'sought')];
    const rest = parts.filter((part) => part !== driver.part);
    return driver.rows.flatMap((rows) =>
      (rows.tests ?? [null]).map((test) => {
        const opened = openPart(this.sql, rows, { tests: test && [test], access: 'sought' });
        return this.held(opened, shape, rest);
      }),
    );
  }

  /** Whether the resource contains one for which the condition holds. */
  probed(shape: ContainedShape, { id, partition }: Omit<PartSubject, 'number'>): Query {
    return this.of(this.base(shape, 'probed'), { id, partition });
  }

  /** The contained resources' own rows, or the references to them. */
  private base(shape: ContainedShape, access: Access): OpenRows {
    const opened = this.rowsOf(shape, access);
    this.holdWithin(opened, shape);
    this.hold(opened.query, shape.where, subjectOf(opened));
    return opened;
  }

  private held(opened: OpenRows, shape: ContainedShape, rest: readonly PartShape[]): OpenRows {
    const subject = subjectOf(opened);
    // The path says that the row is of a contained resource of the type; only a reference has to be looked for.
    if (shape.referredAs !== null) opened.query.whereExists(this.own(this.rowsOf(shape, 'probed'), subject));
    this.holdWithin(opened, shape);
    for (const part of rest) this.hold(opened.query, part, subject);
    return opened;
  }

  private rowsOf({ params, referredAs }: ContainedShape, access: Access): OpenRows {
    const opened = this.sql.paths('HFJ_SPIDX_COMPOSITE', params);
    if (referredAs === null) return opened;
    const value = `${opened.alias}.SP_VALUE`;
    const column = access === 'probed' ? this.sql.dialect.unsought(value) : value;
    opened.query.whereRaw(`${column} = ?`, toMarkers([referredAs]));
    return opened;
  }

  private holdWithin({ query, alias }: OpenRows, { within }: ContainedShape): void {
    if (within === null) return;
    const container = this.sql.alias('r');
    const own = this.sql.tables
      .open('HFJ_RESOURCE', container)
      .whereRaw(`${container}.RES_ID = ${alias}.RES_ID`);
    this.sql.holdOne(own, `${container}.RES_TYPE_ID`, within);
    query.whereExists(this.sql.dialect.tried(own.select(this.sql.dialect.knex.raw('1'))));
  }

  private hold(query: Query, part: PartShape, subject: PartSubject): void {
    switch (part.kind) {
      case 'none':
        query.whereRaw('1 = 0');
        return;
      case 'all':
        for (const one of part.of) this.hold(query, one, subject);
        return;
      case 'any':
        query.where((either) => {
          for (const one of part.of) either.orWhere((way) => this.hold(way, one, subject));
        });
        return;
      case 'not':
        query.whereNot((negated) => this.hold(negated, part.of, subject));
        return;
      case 'rows': {
        const opened = openPart(this.sql, part, { tests: part.tests, access: 'probed' });
        query.whereExists(this.own(opened, subject));
        return;
      }
      case 'element':
        query.where((either) => {
          for (const rows of openElements(this.sql, part.element, 'probed')) {
            const owner = this.sql.paths('HFJ_SPIDX_COMPOSITE', part.owners);
            owner.query.whereRaw(
              `${owner.alias}.SP_ELEMENT = ${rows.alias}.SP_ELEMENT and ${owner.alias}.SP_LOW = ${subject.number}`,
            );
            rows.query.whereExists(this.of(owner, subject));
            either.orWhereExists(this.of(rows, subject));
          }
        });
        return;
      case 'leads':
        query.where((either) => {
          for (const target of part.targets)
            either.orWhereExists(this.own(this.leading(part, target), subject));
        });
        return;
      case 'contained': {
        const opened = this.base(part, 'probed');
        opened.query.whereRaw(`${opened.alias}.SP_LOW = ${subject.number}`);
        query.whereExists(this.of(opened, subject));
        return;
      }
    }
  }

  /** References to the target, by its name: within one partition a type and an id are one resource. */
  private leading({ params }: LeadsShape, target: LeadsShape['targets'][number]): OpenRows {
    const { knex, inList, unsought } = this.sql.dialect;
    const { plural } = this.sql.tables;
    const [name, r] = [this.sql.alias('m'), this.sql.alias('r')];
    const names = knex.queryBuilder().from(this.matching(target).as(name));
    this.sql.tables.join(names, 'HFJ_RESOURCE', r).whereRaw(`${r}.RES_ID = ${name}.RES_ID`);
    names.select(knex.raw(`? || ${r}.FHIR_ID`, toMarkers([target.name])));
    if (plural) names.select(`${r}.PARTITION_ID`);
    const opened = this.sql.paths('HFJ_SPIDX_COMPOSITE', params);
    const { alias } = opened;
    const value = unsought(`${alias}.SP_VALUE`);
    const column = plural ? `(${value}, ${alias}.PARTITION_ID)` : value;
    opened.query.where(knex.raw(inList(column), [names]));
    return opened;
  }

  /** Only rows of the contained resource itself. */
  private own(opened: OpenRows, subject: PartSubject): Query {
    opened.query.whereRaw(`${opened.alias}.SP_ELEMENT = ${subject.number}`);
    return this.of(opened, subject);
  }

  /** Only rows of the container. */
  private of({ query, alias }: OpenRows, { id, partition }: Omit<PartSubject, 'number'>): Query {
    query.whereRaw(`${alias}.RES_ID = ${id}`).select(this.sql.dialect.knex.raw('1'));
    if (this.sql.tables.plural) query.whereRaw(`${alias}.PARTITION_ID = ${partition}`);
    return this.sql.dialect.tried(query);
  }
}

function subjectOf({ alias }: OpenRows): PartSubject {
  return { id: `${alias}.RES_ID`, partition: `${alias}.PARTITION_ID`, number: `${alias}.SP_ELEMENT` };
}

function partsOf({ where }: ContainedShape): readonly PartShape[] {
  return where.kind === 'all' ? where.of : [where];
}

/** The part that probably leaves the fewest rows, as a list of alternatives; null where no part finds rows. */
function pickPart(
  parts: readonly PartShape[],
): { readonly part: PartShape; readonly rows: readonly RowsShape[] } | null {
  const found = parts
    .map((part) => ({ part, rows: alternativesOf(part) }))
    .filter(({ rows }) => rows.length > 0);
  return found.toSorted((a, b) => partWeight(a.rows) - partWeight(b.rows))[0] ?? null;
}

function alternativesOf(part: PartShape): readonly RowsShape[] {
  if (part.kind === 'rows') return [part];
  if (part.kind !== 'any') return [];
  const of = part.of.map(alternativesOf);
  return of.every((rows) => rows.length > 0) ? of.flat() : [];
}
