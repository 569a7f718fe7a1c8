import type { Knex } from 'knex';
import { partWeight } from './search-driver.js';
import { type Access, openElements, openPart } from './search-elements.js';
import type { ContainedShape, LeadsShape, PartShape } from './search-part-shape.js';
import type { OpenRows, RowSql } from './search-rows.js';
import type { TypedShape } from './search-shape.js';
import { toMarkers } from './slots.js';

type Query = Knex.QueryBuilder;

/** The contained resource that a condition is about: columns of the query around it. */
interface PartSubject {
  readonly id: string;
  readonly partition: string;
  /** The number of the contained resource. */
  readonly number: string;
}

/** Rows of a container, and the column that tells which contained resource they found. */
export interface FoundParts extends OpenRows {
  readonly number: string;
}

/** What finds rows by itself. */
type Alternative = Extract<PartShape, { kind: 'rows' | 'leads' | 'contained' }>;

type LeadsTarget = LeadsShape['targets'][number];

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
  sought(shape: ContainedShape): readonly FoundParts[] {
    const parts = partsOf(shape);
    const driver = pickPart(parts);
    if (driver === null) return [found(this.base(shape, 'sought'))];
    const rest = parts.filter((part) => part !== driver);
    return alternativesOf(driver)
      .flatMap((alternative) => this.open(alternative))
      .map((rows) => this.held(rows, shape, rest));
  }

  /** Whether the resource contains one for which the condition holds. */
  probed(shape: ContainedShape, { id, partition }: Omit<PartSubject, 'number'>): Query {
    return this.of(this.base(shape, 'probed'), { id, partition });
  }

  /** The contained resources' own rows, or the references to them. */
  private base(shape: ContainedShape, access: Access): OpenRows {
    const opened = this.rowsOf(shape, access);
    this.holdWithin(opened, shape);
    this.hold(opened.query, shape.where, subjectOf(found(opened)));
    return opened;
  }

  private open(alternative: Alternative): readonly FoundParts[] {
    switch (alternative.kind) {
      case 'rows':
        return (alternative.tests ?? [null]).map((test) =>
          found(openPart(this.sql, alternative, { tests: test && [test], access: 'sought' })),
        );
      case 'leads':
        return alternative.targets.map((target) => found(this.ledTo(alternative, target)));
      case 'contained':
        return this.sought(alternative).map((rows) => this.referring(alternative, rows));
    }
  }

  /** The contained resources that refer to those that were found beside them. */
  private referring(shape: ContainedShape, { query, alias, number }: FoundParts): FoundParts {
    const { knex } = this.sql.dialect;
    const [target, name] = [this.sql.alias('m'), this.sql.alias('t')];
    const targets = query.distinct(`${alias}.RES_ID`, knex.raw(`${number} as PART`));
    const references = this.sql.tables.join(
      knex.queryBuilder().from(targets.as(target)),
      'HFJ_SPIDX_COMPOSITE',
      name,
    );
    references.whereRaw(`${name}.RES_ID = ${target}.RES_ID and ${name}.SP_ELEMENT = ${target}.PART`);
    this.holdReferences({ query: references, alias: name }, shape, 'probed');
    return { query: references, alias: name, number: `${name}.SP_LOW` };
  }

  private held(rows: FoundParts, shape: ContainedShape, rest: readonly PartShape[]): FoundParts {
    const subject = subjectOf(rows);
    // The path says that the row is of a contained resource of the type; only a reference has to be looked for.
    if (shape.referredAs !== null) rows.query.whereExists(this.own(this.rowsOf(shape, 'probed'), subject));
    this.holdWithin(rows, shape);
    for (const part of rest) this.hold(rows.query, part, subject);
    return rows;
  }

  private rowsOf(shape: ContainedShape, access: Access): OpenRows {
    const alias = this.sql.alias('t');
    const opened = { query: this.sql.tables.open('HFJ_SPIDX_COMPOSITE', alias), alias };
    this.holdReferences(opened, shape, access);
    return opened;
  }

  private holdReferences(
    { query, alias }: OpenRows,
    { params, referredAs }: ContainedShape,
    access: Access,
  ): void {
    this.sql.holdOne(query, `${alias}.PARAM_ID`, params);
    if (referredAs === null) return;
    const value = `${alias}.SP_VALUE`;
    const column = access === 'probed' ? this.sql.dialect.unsought(value) : value;
    query.whereRaw(`${column} = ?`, toMarkers([referredAs]));
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

  /** References to the targets, by their names: within one partition a type and an id are one resource. */
  private leading({ params }: LeadsShape, target: LeadsTarget): OpenRows {
    const { knex, inList, unsought } = this.sql.dialect;
    const opened = this.sql.paths('HFJ_SPIDX_COMPOSITE', params);
    const { query, alias } = opened;
    const value = unsought(`${alias}.SP_VALUE`);
    const column = this.sql.tables.plural ? `(${value}, ${alias}.PARTITION_ID)` : value;
    query.where(knex.raw(inList(column), [this.namesOf(target)]));
    return opened;
  }

  /** The same, sought for each of the targets: databases would rather walk all references of a path. */
  private ledTo({ params }: LeadsShape, target: LeadsTarget): OpenRows {
    const { knex, seeks, tried } = this.sql.dialect;
    const { tables } = this.sql;
    const [names, alias] = [this.sql.alias('m'), this.sql.alias('t')];
    const query = knex.queryBuilder().from(this.namesOf(target).as(names));
    const hold = (rows: Query): void => {
      this.sql.holdOne(rows, `${alias}.PARAM_ID`, params);
      rows.whereRaw(`${alias}.SP_VALUE = ${names}.NAME`);
      if (tables.plural) rows.whereRaw(`${alias}.PARTITION_ID = ${names}.PARTITION_ID`);
    };
    if (seeks === 'ordered') {
      hold(tables.join(query, 'HFJ_SPIDX_COMPOSITE', alias));
      return { query, alias };
    }
    const name = this.sql.alias('l');
    const rows = tables.open('HFJ_SPIDX_COMPOSITE', alias);
    hold(rows.select(['RES_ID', 'PARTITION_ID', 'SP_ELEMENT'].map((column) => `${alias}.${column}`)));
    query.crossJoin(knex.raw(`lateral ? as ${name}`, [tried(rows)]));
    return { query, alias: name };
  }

  /** What references to the targets say, with the partition where there are several. */
  private namesOf(target: LeadsTarget): Query {
    const { knex } = this.sql.dialect;
    const [name, r] = [this.sql.alias('m'), this.sql.alias('r')];
    const names = knex.queryBuilder().from(this.matching(target).as(name));
    this.sql.tables.join(names, 'HFJ_RESOURCE', r).whereRaw(`${r}.RES_ID = ${name}.RES_ID`);
    names.select(knex.raw(`? || ${r}.FHIR_ID as NAME`, toMarkers([target.name])));
    return this.sql.tables.plural ? names.select(`${r}.PARTITION_ID`) : names;
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

function found(opened: OpenRows): FoundParts {
  return { ...opened, number: `${opened.alias}.SP_ELEMENT` };
}

function subjectOf({ alias, number }: FoundParts): PartSubject {
  return { id: `${alias}.RES_ID`, partition: `${alias}.PARTITION_ID`, number };
}

function partsOf({ where }: ContainedShape): readonly PartShape[] {
  return where.kind === 'all' ? where.of : [where];
}

/** The part that probably leaves the fewest rows; null where no part finds rows. */
function pickPart(parts: readonly PartShape[]): PartShape | null {
  const finding = parts.filter((part) => alternativesOf(part).length > 0);
  return finding.toSorted((a, b) => weightOf(a) - weightOf(b))[0] ?? null;
}

/** All alternatives of a part; empty where one of them finds no rows. */
function alternativesOf(part: PartShape): readonly Alternative[] {
  if (part.kind === 'rows' || part.kind === 'leads' || part.kind === 'contained') return [part];
  if (part.kind !== 'any') return [];
  const of = part.of.map(alternativesOf);
  return of.every((alternatives) => alternatives.length > 0) ? of.flat() : [];
}

/** As heavy as a chain is. */
const LINK_WEIGHT = 9;

function weightOf(part: PartShape): number {
  const weights = alternativesOf(part).map((one) => (one.kind === 'rows' ? partWeight([one]) : LINK_WEIGHT));
  return Math.max(...weights);
}
