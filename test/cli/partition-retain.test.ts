import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createWorkplace, type Workplace } from './fixtures.js';

/** The day that a resource says in its language. */
const INTERCEPTOR = `
const choose = ({ resource, request }) => {
  const date = resource?.language?.slice(2);
  return { by: 'name', names: [request.urlTenant ?? 'DEFAULT'], ...(date ? { date } : {}) };
};
export default {
  name: 'dated',
  hooks: { STORAGE_PARTITION_IDENTIFY_CREATE: choose, STORAGE_PARTITION_IDENTIFY_READ: choose },
};`;

/** Three patients in each of two partitions: of 2019, of 2020, and without a date. */
async function createDated(t: ExecutionContext): Promise<Workplace> {
  const workplace = await createWorkplace(t);
  const { folder, run } = workplace;
  const module = join(folder, 'dated.mjs');
  await writeFile(module, INTERCEPTOR);
  const lines = ['x-2019-12-31', 'x-2020-01-01', 'en'].map((language, index) =>
    JSON.stringify({ resourceType: 'Patient', id: `p${index}`, ...(language === 'en' ? {} : { language }) }),
  );
  await writeFile(join(folder, 'patients.ndjson'), lines.join('\n'));
  const settings = ['--partitioning', 'interceptors', '--interceptors', module, '--validation', 'off'];
  for (const [index, name] of ['acme', 'beta'].entries()) {
    await run('partition', 'create', name, '--id', String(-7 - index));
    const loaded = await run('load', 'patients.ndjson', '--partition', name, ...settings);
    t.is(loaded.exit, 0, loaded.err);
  }
  return workplace;
}

test('retain deletes what is dated before the day, and prints how much of each partition', async (t) => {
  const { run } = await createDated(t);
  const { exit, out } = await run('partition', 'retain', '--before', '2020-01-01', '--partition', 'acme');
  t.is(exit, 0);
  t.regex(out, /^PARTITION +RESOURCES +VERSIONS +INDEX ROWS +DANGLING REFERENCES\nacme +1 +0 +[1-9]\d* +0$/);
  const all = await run('partition', 'retain', '--before', '2020-01-02');
  t.regex(all.out, /^DEFAULT +0 +0 +0 +0$/m);
  t.regex(all.out, /^acme +1 /m);
  t.regex(all.out, /^beta +2 /m);
  t.regex((await run('partition', 'retain', '--before', '2020-01-02')).out, /^beta +0 +0 +0 +0$/m);
});

test('retain deletes nothing where the day is missing, malformed or in the future', async (t) => {
  const { run } = await createDated(t);
  t.is((await run('partition', 'retain')).exit, 2);
  for (const [day, said] of [
    ['2999-01-01', /^error: 2999-01-01 is in the future/],
    ['2020-02-30', /^error: '2020-02-30' is no date; write YYYY-MM-DD\./],
    ['01/02/2020', /is no date/],
    ['', /is no date/],
  ] as const) {
    const { exit, err } = await run('partition', 'retain', '--before', day);
    t.is(exit, 1, day);
    t.regex(err, said);
  }
  t.is((await run('partition', 'retain', '--before', '2020-01-01', '--partition', 'nobody')).exit, 1);
  t.regex((await run('partition', 'retain', '--before', '2020-01-02')).out, /^acme +2 /m);
});
