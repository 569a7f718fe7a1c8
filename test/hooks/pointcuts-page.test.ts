import { readFile } from 'node:fs/promises';
import test from 'ava';
import { POINTCUTS_PAGE, pointcutsPage } from '../../scripts/pointcuts-page.js';
import { POINTCUTS } from '../../src/hooks/pointcut-manual.js';

test('docs/pointcuts.md is the page that the manual and the types make', async (t) => {
  t.is(unformatted(await readFile(POINTCUTS_PAGE, 'utf8')), unformatted(await pointcutsPage()));
});

test('docs/pointcuts.md tells the manual and the type of every pointcut', async (t) => {
  const page = await pointcutsPage();
  for (const [name, { mode, manual }] of Object.entries(POINTCUTS)) {
    t.true(page.includes(`### ${name}\n\n**${mode}**: ${manual}\n\n\`\`\`ts\n${name}: `), name);
  }
});

/** Without the line breaks and spaces that the formatter chooses. */
function unformatted(page: string): string {
  return page.replaceAll(/\s+/g, '');
}
