import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { createWorkplace } from './fixtures.js';

test('all partitions are reindexed, or one, and by type or parameter', async (t) => {
  const { run, folder } = await createWorkplace(t);
  await run('partition', 'create', 'acme');
  const lines = Array.from({ length: 5 }, (_, index) => ({ resourceType: 'Patient', id: `p${index}` }));
  await writeFile(join(folder, 'all.ndjson'), lines.map((line) => JSON.stringify(line)).join('\n'));
  await run('load', 'all.ndjson', '--partition', 'acme');
  const parameter = 'http://hl7.org/fhir/SearchParameter/Patient-identifier';
  for (const [words, seen] of [
    [[], 5],
    [['--partition', 'acme'], 5],
    [['--partition', 'DEFAULT'], 0],
    [['--type', 'Patient', '--type', 'Observation'], 5],
    [['--type', 'Observation'], 0],
    [['--parameter', parameter], 5],
  ] as const) {
    const { exit, out } = await run('reindex', ...words);
    t.is(exit, 0, words.join(' '));
    t.is(out, `Reindexed ${seen} resources: 0 index rows were missing.`, words.join(' '));
  }
});

test('what is not known is refused', async (t) => {
  const { run } = await createWorkplace(t);
  for (const words of [
    ['--type', 'Nothing'],
    ['--parameter', 'http://example.org/none'],
    ['--partition', 'none'],
  ]) {
    const { exit, err } = await run('reindex', ...words);
    t.not(exit, 0);
    t.regex(err, /Nothing|none/);
  }
});
