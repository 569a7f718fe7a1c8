import type { Knex } from 'knex';
import type { IndexKind, SearchWindow } from '../search-store.js';
import type { RowTest, TargetTest } from './predicates/row-test.js';
import type { ScopedTables } from './scoped-tables.js';
import type { SearchDialect } from './search-dialect.js';
import type { RowsShape } from './search-shape.js';
import { toMarkers, type Slot, type SlotList } from './slots.js';
import type { PartitionedTable } from './tables.js';
import type { TextSlots } from './text-dialect.js';

/** Where the rows of each kind live. */
export const INDEX_TABLES = {
  token: 'HFJ_SPIDX_TOKEN',
  string: 'HFJ_SPIDX_STRING',
  date: 'HFJ_SPIDX_DATE',
  number: 'HFJ_SPIDX_NUMBER',
  quantity: 'HFJ_SPIDX_QUANTITY',
  uri: 'HFJ_SPIDX_URI',
  reference: 'HFJ_RES_LINK',
  text: 'HFJ_RES_FULLTEXT',
} as const satisfies Record<IndexKind, PartitionedTable>;

/** Kinds whose table also has an index by RES_ID: one resource's rows are a seek away whatever is asked of them. */
export const INDEXED_BY_RESOURCE: ReadonlySet<IndexKind> = new Set<IndexKind>(['date', 'reference']);

/** A query that stands on an index table, and the alias of that table. */
export interface OpenRows {
  readonly query: Knex.QueryBuilder;
  readonly alias: string;
}

/** A query that answers resources, and which end of a link they stand at. */
export interface LinksAt {
  readonly found: Knex.QueryBuilder | Knex.Raw;
  readonly at: { readonly column: 'RES_ID' | 'TARGET_RES_ID'; readonly value: string };
  readonly params: SlotList;
}

/** What is asked of a link that was found. */
const LINK_ENDS = ['RES_ID', 'TARGET_RES_ID', 'TARGET_TYPE_ID'];

/** Opens index tables. Every alias is used once in a statement. */
export class RowSql {
  readonly tables: ScopedTables;
  readonly dialect: SearchDialect;
  readonly texts: SearchWindow['texts'];
  private aliases = 0;

  constructor(tables: ScopedTables, dialect: SearchDialect, texts?: SearchWindow['texts']) {
    this.tables = tables;
    this.dialect = dialect;
    this.texts = texts;
  }

  alias(letter: string): string {
    return `${letter}${this.aliases++}`;
  }

  /** The rows that pass the test, or all rows of the paths. */
  rows(shape: RowsShape, test: RowTest | null): OpenRows {
    if (shape.index === 'text') return this.words(test);
    const opened = this.paths(INDEX_TABLES[shape.index], shape.params);
    const { query, alias } = opened;
    holdTargetType(opened, shape);
    if (test === null) return opened;
    if (test.target) this.holdTarget(opened, test.target);
    query.whereRaw(test.sql.replaceAll('@', alias), toMarkers(test.slots));
    return opened;
  }

  /** Any rows of the paths, of one resource. */
  rowsOfResource(shape: RowsShape, id: string): OpenRows {
    const alias = this.alias('t');
    const query = this.tables.openOfResource(INDEX_TABLES[shape.index], alias);
    this.holdOne(query, `${alias}.PARAM_ID`, shape.params);
    holdTargetType({ query, alias }, shape);
    query.whereRaw(`${alias}.RES_ID = ${id}`);
    return { query, alias };
  }

  private words(test: RowTest | null): OpenRows {
    const [asked] = test?.slots ?? [];
    if (asked === undefined) throw new Error('Words are looked for by a query.');
    const alias = this.alias('t');
    const { tables, dialect } = this;
    return { query: dialect.text.open({ tables, knex: dialect.knex, alias }, asked), alias };
  }

  /** RES_ID and SCORE of resources that fit. */
  relevance(slots: TextSlots): Knex.QueryBuilder {
    const { tables, dialect } = this;
    return dialect.text.relevance({ tables, knex: dialect.knex, alias: this.alias('s') }, slots);
  }

  /** The rows of the paths in one index table. */
  paths(table: PartitionedTable, params: SlotList): OpenRows {
    const alias = this.alias('t');
    const query = this.tables.open(table, alias);
    this.holdOne(query, `${alias}.PARAM_ID`, params);
    return { query, alias };
  }

  /** Links from the paths to resources of this server. */
  links(params: SlotList): OpenRows {
    const opened = this.paths('HFJ_RES_LINK', params);
    opened.query.whereRaw(`${opened.alias}.TARGET_URL = ''`);
    return opened;
  }

  /**
   * Links to resources of this server, found one by one for each row that `found` has. Databases would rather walk
   * all links of a path than seek for each of a list's resources; they are left no choice.
   */
  linksAt(asked: LinksAt): OpenRows {
    const { knex, seeks, tried } = this.dialect;
    const alias = this.alias('t');
    const query = knex.queryBuilder().from(asked.found);
    if (seeks === 'ordered') {
      this.holdLinks(this.tables.join(query, 'HFJ_RES_LINK', alias), alias, asked);
      return { query, alias };
    }
    const name = this.alias('l');
    const links = this.tables.open('HFJ_RES_LINK', alias).select(LINK_ENDS.map((end) => `${alias}.${end}`));
    this.holdLinks(links, alias, asked);
    query.crossJoin(knex.raw(`lateral ? as ${name}`, [tried(links)]));
    return { query, alias: name };
  }

  private holdLinks(query: Knex.QueryBuilder, alias: string, { at, params }: LinksAt): void {
    query.whereRaw(`${alias}.${at.column} = ${at.value} and ${alias}.TARGET_URL = ''`);
    this.holdOne(query, `${alias}.PARAM_ID`, params);
  }

  /**
   * The systems that a code occurs in, found by one seek for each. With the system known, one resource's row is a
   * seek away as well.
   */
  systemsOf(shape: RowsShape, code: Slot): Knex.QueryBuilder {
    const { knex } = this.dialect;
    const name = this.alias('s');
    const later = this.codeRows(shape, code);
    later.query.whereRaw(`${later.alias}.SYS_ID > ${name}.N`).select(knex.raw(`min(${later.alias}.SYS_ID)`));
    const step = knex.select(later.query.as('N')).from(name).whereRaw(`${name}.N is not null`);
    const seeks = this.firstSystemOf(shape, code).unionAll([step]);
    return knex.withRecursive(name, seeks).select('N').from(name).whereRaw('N is not null');
  }

  /** The least system that a code occurs in. */
  firstSystemOf(shape: RowsShape, code: Slot): Knex.QueryBuilder {
    const { query, alias } = this.codeRows(shape, code);
    return query.select(this.dialect.knex.raw(`min(${alias}.SYS_ID) as N`));
  }

  private codeRows(shape: RowsShape, code: Slot): OpenRows {
    const opened = this.paths(INDEX_TABLES.token, shape.params);
    opened.query.whereRaw(`${opened.alias}.SP_VALUE = ?`, toMarkers([code]));
    return opened;
  }

  /** In one partition a type and an id are one resource at most; equality keeps the rows in RES_ID's order. */
  private holdTarget({ query, alias }: OpenRows, target: TargetTest): void {
    const column = `${alias}.TARGET_RES_ID`;
    const { types } = target;
    if (this.tables.plural || 'json' in types || types.length !== 1)
      query.whereIn(column, this.targets(target));
    else query.where(this.dialect.knex.raw(column), '=', this.targets(target));
  }

  private targets({ types, id }: TargetTest): Knex.QueryBuilder {
    const alias = this.alias('r');
    const query = this.tables.open('HFJ_RESOURCE', alias);
    this.holdOne(query, `${alias}.RES_TYPE_ID`, types);
    return query.whereRaw(`${alias}.FHIR_ID = ?`, toMarkers([id])).select(`${alias}.RES_ID`);
  }

  /** The column is one of the ids. */
  holdOne(query: Knex.QueryBuilder, column: string, ids: SlotList): void {
    if ('json' in ids) query.whereRaw(this.dialect.inJsonList(column), toMarkers([ids.json]));
    else if (ids.length === 1) query.whereRaw(`${column} = ?`, toMarkers(ids));
    else query.whereRaw(`${column} in (${ids.map(() => '?').join(', ')})`, toMarkers(ids));
  }
}

/** References to one type alone; what is elsewhere tells its type by its URL. */
function holdTargetType({ query, alias }: OpenRows, { target }: RowsShape): void {
  if (target === null) return;
  const isElsewhere = `${alias}.TARGET_RES_ID = 0 and replace(${alias}.TARGET_URL, ?, '') <> ${alias}.TARGET_URL`;
  query.whereRaw(`(${alias}.TARGET_TYPE_ID = ? or (${isElsewhere}))`, toMarkers([target.type, target.path]));
}
