import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';

const DOCS = 'docs/interceptors';
/** Inside the package, so that a snippet imports it by its name as a reader's file does. */
const SNIPPETS = join(import.meta.dirname, '..', '..', 'snippets');

const pages = (await readdir(DOCS)).filter((file) => file !== 'README.md');
const shipped = (await readdir('interceptors')).map((file) => file.replace('.ts', '.md'));

for (const page of pages) {
  test(`the snippet of ${page} runs, and its assertions hold`, async (t) => {
    const text = await readFile(join(DOCS, page), 'utf8');
    const [, snippet] = /```ts\n(.*?)```/s.exec(text) ?? [];
    t.truthy(snippet, 'the page has a snippet');
    const file = join(SNIPPETS, page.replace('.md', '.mjs'));
    await mkdir(SNIPPETS, { recursive: true });
    await writeFile(file, snippet ?? '');
    await t.notThrowsAsync(async () => import(pathToFileURL(file).href));
  });
}

test('every page is of a shipped interceptor and listed in the index', async (t) => {
  const index = await readFile(join(DOCS, 'README.md'), 'utf8');
  for (const page of pages) {
    t.true(shipped.includes(page), `${page} has an interceptor`);
    t.true(index.includes(`](${page})`), `${page} is listed`);
  }
});
