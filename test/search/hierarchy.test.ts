import test from 'ava';
import { FhirError } from '../../src/model/errors.js';
import { hierarchyOf, resolveHierarchies } from '../../src/search/hierarchy.js';
import type { SearchValue } from '../../src/search/search-request.js';
import { scopeOf, SearchDatabase } from '../storage/search/fixtures.js';
import { context } from './fixtures.js';

const LEVEL = { type: 'Location', paths: ['partOf'] };
const SCOPE = scopeOf(1);

function below(id: string): SearchValue {
  return { kind: 'hierarchy', direction: 'below', levels: [LEVEL], id };
}

/** `l0` and what is part of it, each of the one before. */
function chainOf(length: number): SearchDatabase {
  const db = new SearchDatabase();
  let above: number | undefined;
  for (let n = 0; n < length; n++) {
    above = db.add(1, `Location/l${n}`, above === undefined ? [] : [db.link('partOf', above)]);
  }
  return db;
}

test('a type has a hierarchy where its resources are parts of one another', (t) => {
  t.deepEqual(hierarchyOf(context.registry, 'Location'), LEVEL);
  t.is(hierarchyOf(context.registry, 'Organization')?.type, 'Organization');
  t.is(hierarchyOf(context.registry, 'Patient'), undefined);
  t.is(hierarchyOf(context.registry, 'Observation'), undefined);
});

test('hierarchies are walked together, one statement for each level', async (t) => {
  const db = chainOf(5);
  const asked = [below('l0'), below('l3'), below('nobody')];
  const values = await resolveHierarchies(asked, db.store, SCOPE);
  const [value, ...others] = values;
  t.deepEqual(others, []);
  t.is(value?.kind === 'rows' && value.rowIds.length, 5);
  t.true(db.statements.length <= 6, String(db.statements.length));
});

test('other values stay as they are, and cost nothing', async (t) => {
  const db = chainOf(1);
  const values: SearchValue[] = [{ kind: 'local', types: ['Location'], id: 'l0' }];
  t.is(await resolveHierarchies(values, db.store, SCOPE), values);
  t.is(db.statements.length, 0);
});

test('a hierarchy of more levels than the limit is refused', async (t) => {
  const db = chainOf(60);
  const error = await t.throwsAsync(resolveHierarchies([below('l0')], db.store, SCOPE), {
    instanceOf: FhirError,
  });
  t.is((error as FhirError).code, 'LIMIT_EXCEEDED');
});
