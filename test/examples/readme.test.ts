import { readdir, readFile } from 'node:fs/promises';
import test from 'ava';

const SHARED = new Set(['run-example.ts', 'local-issuer.ts']);

test('every example is listed in its README and asserted by a test', async (t) => {
  const files = (await readdir('examples')).filter((file) => file.endsWith('.ts') && !SHARED.has(file));
  const readme = await readFile('examples/README.md', 'utf8');
  const tests = await Promise.all(
    ['tenants', 'strategies'].map((name) => readFile(`test/examples/${name}.test.ts`, 'utf8')),
  );
  for (const name of files.map((file) => file.replace('.ts', ''))) {
    t.true(readme.includes(`[${name}](${name}.ts)`), `${name} in the README`);
    t.true(
      tests.some((text) => text.includes(`test('${name}: `)),
      `${name} has a test`,
    );
  }
});
