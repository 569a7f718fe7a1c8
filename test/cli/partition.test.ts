import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { countAt, createWorkplace } from './fixtures.js';

test('partitions are created, listed with DEFAULT first, changed and deleted', async (t) => {
  const { run } = await createWorkplace(t);
  t.is((await run('partition', 'create', 'acme')).out, 'Created partition acme with id 1.');
  t.is((await run('partition', 'create', 'beta', '--id', '-7', '--description', 'Clinic')).exit, 0);
  const changed = await run('partition', 'update', 'beta', '--name', 'gamma');
  t.is(changed.out, 'Partition -7 is now gamma (Clinic).');
  const { out } = await run('partition', 'list');
  t.regex(out, /^ID +NAME +PLACEMENT +DESCRIPTION\n0 +DEFAULT +shared\n/);
  t.regex(out, /^-7 +gamma +shared +Clinic$/m);
  t.regex(out, /^1 +acme +shared$/m);
  t.is((await run('partition', 'delete', 'acme')).out, 'Deleted partition acme with id 1.');
  t.notRegex((await run('partition', 'list')).out, /acme/);
});

test('errors are the text of the catalogue, and end with 1', async (t) => {
  const { run } = await createWorkplace(t);
  await run('partition', 'create', 'acme');
  const taken = await run('partition', 'create', 'acme');
  t.is(taken.exit, 1);
  t.regex(taken.err, /^error: .*acme.* Use another partition name or id\.$/);
  t.regex((await run('partition', 'delete', 'nobody')).err, /^error: There is no partition named 'nobody'\./);
  t.regex((await run('partition', 'create', 'Patient')).err, /^error: /);
  t.regex(
    (await run('partition', 'create', 'x', '--id', '1.5')).err,
    /^error: --id: "1\.5" is not an integer\.$/,
  );
});

test('a partition that holds something is deleted with --purge only, down to zero', async (t) => {
  const { run, folder, serve } = await createWorkplace(t);
  await run('partition', 'create', 'acme');
  await run('partition', 'create', 'beta');
  await writeFile(join(folder, 'one.json'), '{"resourceType":"Patient","id":"1","active":true}');
  for (const partition of ['acme', 'beta'])
    t.is((await run('load', 'one.json', '--partition', partition)).exit, 0);
  const refused = await run('partition', 'delete', 'acme');
  t.is(refused.exit, 1);
  t.regex(refused.err, /still holds 1 resource.*bulkhead partition delete acme --purge$/);
  const purged = await run('partition', 'delete', 'acme', '--purge');
  t.is(purged.exit, 0);
  t.regex(purged.out, /^Left in partition acme: 0 resources, 0 versions, 0 index rows/);
  const base = await serve();
  t.is((await fetch(`${base}/acme/Patient/1`)).status, 404);
  t.is(await countAt(`${base}/beta/Patient`), 1);
});

test('recount counts what is named, and from then on all that is kept', async (t) => {
  const { run, folder } = await createWorkplace(t);
  for (const name of ['acme', 'beta']) await run('partition', 'create', name);
  await writeFile(join(folder, 'one.json'), '{"resourceType":"Patient","id":"1","active":true}');
  await run('load', 'one.json', '--partition', 'acme');
  t.notRegex((await run('partition', 'recount')).out, /acme/);
  t.regex((await run('partition', 'recount', '--partition', 'acme')).out, /^acme +1 +\d+ +0 +0$/m);
  await writeFile(join(folder, 'two.json'), '{"resourceType":"Patient","id":"2","active":true}');
  await run('load', 'two.json', '--partition', 'acme');
  const { out } = await run('partition', 'recount');
  t.regex(out, /^acme +2 +\d+ +0 +0$/m);
  t.notRegex(out, /beta/);
});
