import test from 'ava';
import type { Knex } from 'knex';
import { ScopedTables, padded } from '../../src/storage/sql/scoped-tables.js';
import {
  postgresSearchDialect,
  sqliteSearchDialect,
  type SearchDialect,
} from '../../src/storage/sql/search-dialect.js';
import { Slots, toSlots } from '../../src/storage/sql/slots.js';
import { scopeOf } from './search/fixtures.js';

const DIALECTS = { sqlite: sqliteSearchDialect(), postgres: postgresSearchDialect() } as const;

interface World {
  readonly tables: ScopedTables;
  /** The text of a query with the values that it binds. */
  readonly read: (query: Knex.QueryBuilder) => string;
  readonly query: () => Knex.QueryBuilder;
}

function openWorld(dialect: SearchDialect, ids: readonly number[]): World {
  const values = new Slots();
  const tables = new ScopedTables(dialect, scopeOf(...ids), values);
  return {
    tables,
    query: () => dialect.knex.queryBuilder().from('x'),
    read: (query) => {
      const { sql, bindings } = query.toSQL();
      const bound = toSlots(bindings).map((slot) => String(values.values[slot]));
      return sql.replaceAll('?', () => bound.shift() ?? 'unbound');
    },
  };
}

const numbered = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at + 1);

for (const [ids, predicate] of [
  [[7], '= 7'],
  [[7, 9], 'in (7, 9)'],
  [[1, 2, 3], 'in (1, 2, 3, 3)'],
  [numbered(7), 'in (1, 2, 3, 4, 5, 6, 7, 7)'],
  [numbered(8), 'in (1, 2, 3, 4, 5, 6, 7, 8)'],
] as const) {
  test(`every way to a table carries the ids of a scope of ${ids.length}`, (t) => {
    for (const dialect of Object.values(DIALECTS)) {
      const { tables, read, query } = openWorld(dialect, ids);
      for (const opened of [
        tables.open('HFJ_RES_LINK', 'l'),
        tables.join(query(), 'HFJ_RES_LINK', 'l'),
        tables.joinByRowId(query(), 'HFJ_RES_LINK', 'l'),
        tables.openOfResource('HFJ_RES_LINK', 'l'),
      ]) {
        t.true(read(opened).includes('HFJ_RES_LINK as l'), read(opened));
        t.true(read(opened).endsWith(`l.PARTITION_ID ${predicate}`), read(opened));
      }
      t.is(read(tables.hold(query(), 'x')), `select * from x where x.PARTITION_ID ${predicate}`);
    }
  });
}

test('more than eight partitions travel as one list', (t) => {
  const list = '[1,2,3,4,5,6,7,8,9]';
  const sqlite = openWorld(DIALECTS.sqlite, numbered(9));
  t.is(
    sqlite.read(sqlite.tables.open('HFJ_RESOURCE', 'r')),
    `select * from HFJ_RESOURCE as r where r.PARTITION_ID in (select value from json_each(${list}))`,
  );
  const postgres = openWorld(DIALECTS.postgres, numbered(9));
  t.true(postgres.read(postgres.tables.open('HFJ_RESOURCE', 'r')).includes(`any (translate(${list},`));
});

test('a lookup by resource leaves the index on partitions alone', (t) => {
  const { tables, read, query } = openWorld(DIALECTS.sqlite, [7]);
  t.is(
    read(tables.openOfResource('HFJ_RES_LINK', 'l')),
    'select * from HFJ_RES_LINK as l where +l.PARTITION_ID = 7',
  );
  t.is(
    read(tables.joinByRowId(query(), 'HFJ_RES_LINK', 'l')),
    'select * from x cross join HFJ_RES_LINK as l not indexed where l.PARTITION_ID = 7',
  );
});

const shapeOf = (count: number): string => openWorld(DIALECTS.sqlite, numbered(count)).tables.shape;

test('statements of scopes of one shape have one text, and others have another', (t) => {
  t.deepEqual([1, 2, 3, 4, 5, 8, 9, 100].map(shapeOf), ['1', '2', '4', '4', '8', '8', 'list', 'list']);
});

const isPlural = (count: number): boolean => openWorld(DIALECTS.sqlite, numbered(count)).tables.plural;

test('rows of several partitions come together from two on', (t) => {
  t.deepEqual([1, 2, 7, 9].map(isPlural), [false, true, true, true]);
});

test('a scope without partitions opens nothing', (t) => {
  t.throws(() => openWorld(DIALECTS.sqlite, []), { message: /without partitions/ });
});

test('a list is filled up with its last one', (t) => {
  t.deepEqual(padded([]), []);
  t.deepEqual(padded(['a']), ['a']);
  t.deepEqual(padded(['a', 'b', 'c']), ['a', 'b', 'c', 'c']);
});
