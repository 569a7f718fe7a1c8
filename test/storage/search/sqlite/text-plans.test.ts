import test from 'ava';
import type { Condition, SearchPlan, TextQuery, TextTest } from '../../../../src/storage/search-store.js';
import { sqliteSearchDialect } from '../../../../src/storage/sql/search-dialect.js';
import { SearchQueries } from '../../../../src/storage/sql/search-query.js';
import { openMigratedFile } from '../../../support/migrated-file.js';
import { scopeOf } from '../fixtures.js';

const TYPE = 'Observation';
const PARAM = 7;
const file = await openMigratedFile();
test.after.always(() => file.remove());

/** Knows one path of words. */
const NAMES = {
  typeId: () => 1,
  typeName: () => TYPE,
  pathId: (_type: string, kind: string) => (kind === 'text' ? PARAM : undefined),
} as unknown as ConstructorParameters<typeof SearchQueries>[0];
const queries = new SearchQueries(NAMES, sqliteSearchDialect());

const word = (text: string): TextQuery => ({ kind: 'phrase', words: [text], prefix: false });
const asked: TextTest = { part: 'all', query: { kind: 'all', of: [word('bone'), word('scan')] } };
const paths = ['_content'];
const fits: Condition = { kind: 'index', index: 'text', type: TYPE, paths, tests: [asked] };
const ranked: SearchPlan['sort'] = [{ by: 'relevance', test: asked, paths, direction: 'descending' }];

/** The statement of the first page, and the steps by which it is found. */
function planOf(sort: SearchPlan['sort'], partitions: readonly number[]) {
  const search = { scope: scopeOf(...partitions), systemIds: () => undefined };
  const statement = queries.page(search, { type: TYPE, where: fits, sort }, { count: 20 });
  if (statement === null) throw new Error('Nothing can match.');
  const rows = file.db.prepare(`explain query plan ${statement.sql}`).all(...statement.bindings);
  const steps = (rows as { readonly detail: string }[]).map(({ detail }) => detail);
  return { statement, steps, text: steps.join('\n') };
}

for (const partitions of [[1], [1, 2]]) {
  test(`words are found by their index, and scores are walked through once, in ${partitions.length} partitions`, (t) => {
    const { steps, text } = planOf(ranked, partitions);
    t.regex(text, /SCAN t\dw VIRTUAL TABLE INDEX 0:M2/);
    t.regex(text, /SCAN v VIRTUAL TABLE INDEX/);
    t.regex(text, /SEARCH t\d USING INTEGER PRIMARY KEY \(rowid=\?\)/);
    // A list that is walked through for each row of another one takes minutes for a frequent word.
    t.false(
      steps.some((step) => /LEFT-JOIN|SCAN (?:t\d|r)$/.test(step)),
      text,
    );
    t.is(steps.filter((step) => /^SCAN m$/.test(step)).length, 1, text);
  });

  test(`another order walks through no scores, in ${partitions.length} partitions`, (t) => {
    const { text } = planOf([{ by: 'id', direction: 'ascending' }], partitions);
    t.regex(text, /SCAN t\dw VIRTUAL TABLE INDEX 0:M2/);
    t.notRegex(text, /SCAN v VIRTUAL/);
  });
}

test('every word is asked for in its partition and PARAM_ID', (t) => {
  const { statement } = planOf(ranked, [1, -2]);
  const [query] = statement.bindings.filter((value) => String(value).includes('AND'));
  t.is(query, '(("1:7:bone" AND "1:7:scan")) OR (("-2:7:bone" AND "-2:7:scan"))');
});

test('one statement serves all words, and one all tenants', (t) => {
  const { statement } = planOf(ranked, [1]);
  const other = queries.page(
    { scope: scopeOf(5), systemIds: () => undefined },
    { type: TYPE, where: { ...fits, tests: [{ ...asked, query: word('x') }] }, sort: ranked },
    { count: 20 },
  );
  t.is(other?.sql, statement.sql);
});

test('more partitions than can be asked at once are refused', (t) => {
  const partitions = Array.from({ length: 20_001 }, (_, n) => n);
  const error = t.throws(() => planOf(ranked, partitions));
  t.is((error as { readonly code?: unknown }).code, 'LIMIT_EXCEEDED');
});
