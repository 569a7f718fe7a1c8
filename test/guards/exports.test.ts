import { readFile } from 'node:fs/promises';
import test from 'ava';
import * as interceptors from '../../interceptors/index.js';
import { allPublicExports, API_PAGE, apiPage } from '../../scripts/api-page.js';
import * as framework from '../../src/index.js';
import * as testing from '../../src/testing.js';

test('docs/api.md is the page that the entry points make', async (t) => {
  t.is(unformatted(await readFile(API_PAGE, 'utf8')), unformatted(await apiPage()), 'run npm run docs:api');
});

test('every public name has a doc comment', async (t) => {
  const listed = await allPublicExports();
  t.true(listed.length > 80);
  t.deepEqual(
    listed.filter(({ doc }) => doc === '').map(({ module, name }) => `${module}: ${name}`),
    [],
  );
});

test('every value that can be imported is listed', async (t) => {
  const listed = new Set((await allPublicExports()).map(({ name }) => name));
  const values = [framework, interceptors, testing].flatMap((module) => Object.keys(module));
  t.deepEqual(
    values.filter((name) => !listed.has(name)),
    [],
  );
});

test('no public name stands for two things in one entry', async (t) => {
  const things = new Set((await allPublicExports()).map(({ name, module }) => `${module} ${name}`));
  const names = [...things].map((thing) => thing.split(' ')[1]);
  t.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
});

/** Without the line breaks and spaces that the formatter chooses. */
function unformatted(page: string): string {
  return page.replaceAll(/[\s-]+/g, '');
}
