import test from 'ava';
import Database from 'better-sqlite3';
import { toReusableSql } from '../../../src/storage/sql/sqlite/reusable-sql.js';

test('values and limits are hidden in expressions', (t) => {
  const sql = 'select A from T where B = ? and (C, D) > (?, ?) order by A limit ?';
  t.is(toReusableSql(sql), 'select A from T where B = +? and (C, D) > (+?, +?) order by A limit ?+0');
});

test('numbers, texts and nulls mean what they meant', (t) => {
  const db = new Database(':memory:');
  db.exec(`create table T (N integer, S text); insert into T values (1, '1'), (2, '01'), (3, null)`);
  const rows = (sql: string, ...values: unknown[]) =>
    db
      .prepare(toReusableSql(sql))
      .pluck()
      .all(...values);
  t.deepEqual(rows('select N from T where S = ?', '01'), [2]);
  t.deepEqual(rows('select N from T where S = ?', '1'), [1]);
  t.deepEqual(rows('select N from T where N >= ? order by N limit ?', 1, 2), [1, 2]);
  t.deepEqual(rows('select N from T where N in (?, ?) order by N', 3, 1), [1, 3]);
  t.deepEqual(rows('select N from T where S is ?', null), [3]);
});

test('an index serves the statement as before', (t) => {
  const db = new Database(':memory:');
  db.exec('create table T (A integer, B text, C integer); create index T_KEY on T (A, B, C)');
  const sql = toReusableSql('select C from T where A = ? and B >= ? and B < ? order by B limit ?');
  const [step] = db.prepare(`explain query plan ${sql}`).all(1, 'a', 'b', 1) as { readonly detail: string }[];
  t.is(step?.detail, 'SEARCH T USING COVERING INDEX T_KEY (A=? AND B>? AND B<?)');
});
