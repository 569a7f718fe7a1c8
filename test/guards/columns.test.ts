import test from 'ava';
import { PARTITIONED_TABLES, SHARED_TABLES } from '../../src/storage/sql/tables.js';
import { openMigratedFile } from '../support/migrated-file.js';

/** Keys that do not begin with PARTITION_ID, and why no tenant's query is served by them. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'HFJ_RES_VER (RES_ID, RES_VER)': 'A row id is known only to who has read the resource inside a scope.',
  'COMPOSITE_RESOURCE (RES_ID, PARAM_ID, SP_ELEMENT)':
    'Finds what else is in an element that a scoped search has found.',
  'DATE_RESOURCE (RES_ID, PARAM_ID, SP_LOW, SP_HIGH)': 'Sorts rows that a scoped search has found.',
  'LINK_RESOURCE (RES_ID, PARAM_ID, TARGET_RES_ID)': 'Finds the links of rows that a scoped read has found.',
  'SEARCH_URL_RESOURCE (RES_ID)': 'Releases the claims of a resource that a scoped read has found.',
  'HFJ_RES_ID_CLAIM (RES_TYPE_ID, FHIR_ID)': 'One pool of ids for the whole server is what it is there for.',
};

/**
 * Tables that the migrator keeps for itself, SQLite's own, and the index of words: it has no contents, and each word
 * begins with its partition.
 */
const BOOKKEEPING = /^(HFJ_MIGRATION|sqlite_|HFJ_FULLTEXT_(WORDS|TERMS))/;

interface Column {
  readonly name: string;
  readonly type: string;
  readonly notnull: 0 | 1;
  /** Place in the primary key, from 1; 0 for other columns. */
  readonly pk: number;
}

const file = await openMigratedFile();
const { db } = file;
test.after.always(() => file.remove());

function columnsOf(table: string): readonly Column[] {
  return db.pragma(`table_info(${table})`) as Column[];
}

/** Every key of a table as `name (columns)`; a primary key has the table's name. Row ids are no key. */
function keysOf(table: string): readonly string[] {
  const list = db.pragma(`index_list(${table})`) as { readonly name: string; readonly origin: string }[];
  return list.map(({ name, origin }) => {
    const columns = db.pragma(`index_info(${name})`) as { readonly name: string }[];
    return `${origin === 'pk' ? table : name} (${columns.map((column) => column.name).join(', ')})`;
  });
}

for (const table of PARTITIONED_TABLES) {
  test(`${table} has the partition's id on every row, and its date where there is one`, (t) => {
    const columns = columnsOf(table);
    const id = columns.find(({ name }) => name === 'PARTITION_ID');
    const date = columns.find(({ name }) => name === 'PARTITION_DATE');
    t.is(id?.type.toLowerCase(), 'integer');
    t.is(id?.notnull, 1);
    t.is(date?.type.toLowerCase(), 'integer');
    t.is(date?.notnull, 0);
  });

  test(`every key of ${table} begins with the partition`, (t) => {
    const keys = keysOf(table);
    t.true(keys.length > 0);
    t.deepEqual(
      keys.filter((key) => !/\(PARTITION_ID[,)]/.test(key) && EXCEPTIONS[key] === undefined),
      [],
    );
  });
}

test('every exception is a key that exists', (t) => {
  const keys = new Set(PARTITIONED_TABLES.flatMap((table) => keysOf(table)));
  t.deepEqual(
    Object.keys(EXCEPTIONS).filter((key) => !keys.has(key)),
    [],
  );
});

test('every table is declared as partitioned or as shared', (t) => {
  const names = db.prepare(`select name from sqlite_master where type = 'table'`).pluck().all() as string[];
  const declared: readonly string[] = [...PARTITIONED_TABLES, ...SHARED_TABLES];
  t.deepEqual(names.filter((name) => !BOOKKEEPING.test(name)).toSorted(), declared.toSorted());
});
