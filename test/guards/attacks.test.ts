import { readFile } from 'node:fs/promises';
import test from 'ava';

const ROW = /^\| +(\d+) \| (.+?) +\| (.+?) +\|$/gm;
const rows = [...(await readFile('docs/attacks.md', 'utf8')).matchAll(ROW)];

test('docs/attacks.md tells of each of the 108 attacks', (t) => {
  t.deepEqual(
    rows.map(([, number]) => Number(number)),
    Array.from({ length: 108 }, (_, index) => index + 1),
  );
});

for (const [, number, attack, shownBy = ''] of rows) {
  const files = [...shownBy.matchAll(/`(test\/[^`]+\.test\.ts)`/g)].map(([, file]) => file!);
  if (files.length === 0) continue;
  const title = /`: (.+)$/.exec(shownBy)?.[1] ?? '';
  test(`attack ${number}, ${attack}, is shown by a test that is there`, async (t) => {
    for (const file of files) t.true((await textOf(file)).includes(title), `${file}: ${title}`);
  });
}

/** A test file, with the lists of attacks that it tries. */
async function textOf(file: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  const lists = [...text.matchAll(/\/(src\/isolation\/foreign-\w+)\.js'/g)].map(([, list]) => `${list}.ts`);
  return [text, ...(await Promise.all(lists.map((list) => readFile(list, 'utf8'))))].join('\n');
}
