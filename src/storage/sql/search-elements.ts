import type { IndexKind } from '../search-store.js';
import { partWeight } from './search-driver.js';
import type { RowTest } from './predicates/row-test.js';
import type { OpenRows, RowSql } from './search-rows.js';
import type { ElementShape, RowsShape } from './search-shape.js';
import { toMarkers } from './slots.js';

type Part = readonly RowsShape[];

/**
 * Whether rows are found by their values, or tested one by one because their resource is known: then no index on
 * values is to be walked.
 */
export type Access = 'sought' | 'probed';

/** Where HFJ_SPIDX_COMPOSITE keeps what each kind has in columns of its own. */
const COLUMNS: Readonly<Record<Exclude<IndexKind, 'reference' | 'text'>, Readonly<Record<string, string>>>> =
  {
    token: {},
    string: { SP_NORM: 'SP_VALUE', SP_EXACT: 'SP_UNIT' },
    date: {},
    number: { SP_VALUE: 'SP_LOW' },
    quantity: { SP_VALUE: 'SP_LOW', SP_CODE: 'SP_VALUE', SP_CANON_VALUE: 'SP_HIGH' },
    uri: {},
  };

/** The same tests on rows of elements. */
export function toElementRows(shape: RowsShape): RowsShape {
  if (shape.index === 'reference' || shape.index === 'text' || shape.tests === null) return shape;
  const columns = COLUMNS[shape.index];
  const tests = shape.tests.map((test) => ({
    ...test,
    sql: test.sql.replaceAll(/@\.(\w+)/g, (_at, name: string) => `@.${columns[name] ?? name}`),
  }));
  return { ...shape, tests };
}

/** Rows of the most telling part, in elements that pass all others: one query for each of its alternatives. */
export function openElements(sql: RowSql, { parts }: ElementShape, access: Access): readonly OpenRows[] {
  const [first, ...others] = parts.toSorted((a, b) => partWeight(a) - partWeight(b));
  return (first ?? []).flatMap((shape) =>
    (shape.tests ?? [null]).map((test) => {
      const opened = openPart(sql, shape, { tests: test && [test], access });
      for (const part of others) holdSame(sql, opened, part);
      return opened;
    }),
  );
}

/** The element of the row passes the part too. */
function holdSame(sql: RowSql, { query, alias }: OpenRows, part: Part): void {
  query.where((either) => {
    for (const shape of part) {
      const same = openPart(sql, shape, { tests: shape.tests, access: 'probed' });
      same.query
        .whereRaw(`${same.alias}.RES_ID = ${alias}.RES_ID and ${same.alias}.SP_ELEMENT = ${alias}.SP_ELEMENT`)
        .select(sql.dialect.knex.raw('1'));
      if (sql.tables.plural) same.query.whereRaw(`${same.alias}.PARTITION_ID = ${alias}.PARTITION_ID`);
      either.orWhereExists(sql.dialect.tried(same.query));
    }
  });
}

/** Rows of elements that pass one of the tests; null: any row. */
export function openPart(
  sql: RowSql,
  { params }: RowsShape,
  { tests, access }: { readonly tests: readonly RowTest[] | null; readonly access: Access },
): OpenRows {
  const opened = sql.paths('HFJ_SPIDX_COMPOSITE', params);
  const { query, alias } = opened;
  if (tests === null) return opened;
  const column = (name: string): string => {
    const own = `${alias}.${name}`;
    return access === 'probed' ? sql.dialect.unsought(own) : own;
  };
  query.where((either) => {
    for (const test of tests) {
      const text = test.sql.replaceAll(/@\.(\w+)/g, (_at, name: string) => column(name));
      either.orWhereRaw(`(${text})`, toMarkers(test.slots));
    }
  });
  return opened;
}
