import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { patientBundle, sampleFolder, sampleId, writeSamples } from '../support/sample-bundles.js';
import { countAt, createWorkplace, get } from './fixtures.js';

const patient = (id: string, more: object = {}): string =>
  JSON.stringify({ resourceType: 'Patient', id, ...more });

const organization = (id: string, partOf?: string): string =>
  JSON.stringify({
    resourceType: 'Organization',
    id,
    ...(partOf === undefined ? {} : { partOf: { reference: `Organization/${partOf}` } }),
  });

/** What one process changes in the directory, the others know after this time. */
const COHERENCE_MS = 1000;

test('a Synthea folder is loaded whole, hospitals and practitioners first, into its partition only', async (t) => {
  const { run, folder, serve } = await createWorkplace(t);
  const samples = await sampleFolder(join(folder, 'samples'));
  await run('partition', 'create', 'acme');
  await run('partition', 'create', 'beta');
  const { exit, out } = await run('load', samples.folder, '--partition', 'acme');
  t.is(exit, 0, out);
  t.regex(
    out,
    /^Loaded \d+ resources of \d+ files in [\d.]+ s \(\d+\/s\): \d+ created, 0 updated, 0 unchanged\.$/m,
  );
  const base = await serve();
  t.is(await countAt(`${base}/acme/Patient`), samples.patients);
  t.is(await countAt(`${base}/beta/Patient`), 0);
  t.is(await countAt(`${base}/Patient`), 0);
});

test('what is loaded twice is there once, and in its first version', async (t) => {
  const { run, folder, serve } = await createWorkplace(t);
  await writeSamples(join(folder, 'samples'), 3);
  const first = await run('load', 'samples');
  t.regex(first.out, /: 14 created, 0 updated, 0 unchanged\.$/m);
  const second = await run('load', 'samples');
  t.is(second.exit, 0);
  t.regex(second.out, /: 0 created, 0 updated, 14 unchanged\.$/);
  const base = await serve();
  t.is(await countAt(`${base}/Observation`), 6);
  const observation = await get(`${base}/Observation/${sampleId(2, 3)}`);
  t.like(observation, {
    meta: { versionId: '1' },
    subject: { reference: `Patient/${sampleId(2, 0)}` },
    encounter: { reference: `Encounter/${sampleId(2, 1)}` },
  });
});

test('of a changed file, only what changed gets a new version', async (t) => {
  const { run, folder, serve } = await createWorkplace(t);
  await writeSamples(join(folder, 'samples'), 1);
  await run('load', 'samples');
  const changed = JSON.stringify(patientBundle(1)).replace('Family1', 'Married');
  await writeFile(join(folder, 'samples', 'a-patient-1.json'), changed);
  const { out } = await run('load', 'samples');
  t.regex(out, /: 0 created, 1 updated, 5 unchanged\.$/);
  const base = await serve();
  t.like(await get(`${base}/Patient/${sampleId(1, 0)}`), {
    meta: { versionId: '2' },
    name: [{ family: 'Married' }],
  });
  t.like(await get(`${base}/Encounter/${sampleId(1, 1)}`), { meta: { versionId: '1' } });
});

test('resources without an id get one that follows from what they are', async (t) => {
  const { run, folder, serve } = await createWorkplace(t);
  const named = {
    fullUrl: `urn:uuid:${sampleId(9, 9)}`,
    resource: { resourceType: 'Patient', active: true },
  };
  const pointing = {
    resource: {
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'x' },
      subject: { reference: named.fullUrl },
    },
  };
  await writeFile(
    join(folder, 'bundle.json'),
    JSON.stringify({ resourceType: 'Bundle', type: 'collection', entry: [pointing, named] }),
  );
  t.regex((await run('load', 'bundle.json')).out, /: 2 created, 0 updated, 0 unchanged\.$/m);
  t.regex((await run('load', 'bundle.json')).out, /: 0 created, 0 updated, 2 unchanged\.$/);
  const base = await serve();
  t.is(await countAt(`${base}/Observation?subject=Patient/${sampleId(9, 9)}`), 1);
});

test('decimals keep their text, and that is not taken for a change', async (t) => {
  const { run, folder, serve } = await createWorkplace(t);
  await writeFile(
    join(folder, 'one.json'),
    '{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.50}}',
  );
  await run('load', 'one.json');
  t.regex((await run('load', 'one.json')).out, /1 unchanged\.$/);
  const base = await serve();
  t.regex(await (await fetch(`${base}/Observation/o`)).text(), /"value":1\.50/);
});

test('NDJSON is loaded line by line: good lines are stored, bad ones told with line and reason', async (t) => {
  const { run, folder, serve } = await createWorkplace(t);
  const lines = [
    patient('a'),
    '',
    '{broken',
    patient('b'),
    '{"no":"type"}',
    patient('c', { birthDate: 'soon' }),
  ];
  await writeFile(join(folder, 'Patient.ndjson.gz'), gzipSync(lines.join('\n')));
  const { exit, out } = await run('load', 'Patient.ndjson.gz');
  t.is(exit, 1);
  t.regex(out, /^Loaded 2 resources of 1 file /);
  t.regex(out, /^Failed: 3 resources in 1 file\.$/m);
  t.regex(out, /expected a member name in double quotes\.\n {4}Patient\.ndjson\.gz line 3$/m);
  t.regex(out, /it has no resourceType\.\n {4}Patient\.ndjson\.gz line 5$/m);
  t.regex(out, /INVALID_RESOURCE: Patient\.birthDate.*\n {4}Patient\.ndjson\.gz line 6 \(Patient\/c\)$/m);
  t.is(await countAt(`${await serve()}/Patient`), 2);
});

test('lines and files that refer to later ones get through in the end', async (t) => {
  const { run, folder, serve } = await createWorkplace(t);
  await mkdir(join(folder, 'export'));
  const chain = ['e', 'd', 'c', 'b', 'a'].map((id, index, ids) => organization(id, ids[index + 1]));
  await writeFile(join(folder, 'export', 'Organization.ndjson'), chain.join('\n'));
  await writeFile(
    join(folder, 'export', 'Basic.ndjson'),
    '{"resourceType":"Basic","id":"1","code":{"text":"x"},"subject":{"reference":"List/1"}}',
  );
  await writeFile(
    join(folder, 'export', 'List.ndjson'),
    '{"resourceType":"List","id":"1","status":"current","mode":"working"}',
  );
  const { exit, out } = await run('load', 'export', '--concurrency', '1');
  t.is(exit, 0, out);
  t.regex(out, /: 7 created, 0 updated, 0 unchanged\.$/m);
  t.is(await countAt(`${await serve()}/Organization`), 5);
});

test('a transaction is loaded whole or not at all, and its reason names the entry', async (t) => {
  const { run, folder, serve } = await createWorkplace(t);
  const bundle = patientBundle(1);
  await writeFile(join(folder, 'dangling.json'), JSON.stringify(bundle));
  const { exit, out } = await run('load', 'dangling.json');
  t.is(exit, 1);
  t.regex(out, /^Failed: 4 resources in 1 file\.$/m);
  t.regex(out, /REFERENCE_NOT_FOUND: .*entry\[0\].*hospitals\|1/);
  t.is(await countAt(`${await serve()}/Observation`), 0);
});

test('a server is loaded over HTTP just as well, and as repeatably', async (t) => {
  const { run, folder, serve } = await createWorkplace(t);
  await run('partition', 'create', 'acme');
  await writeSamples(join(folder, 'samples'), 2);
  const base = await serve();
  const words = [
    'load',
    'samples',
    '--url',
    `${base}/`,
    '--partition',
    'acme',
    '--header',
    'X-Request-ID: loading',
  ];
  t.regex((await run(...words)).out, /: 10 created, 0 updated, 0 unchanged\.$/m);
  t.regex((await run(...words)).out, /: 0 created, 0 updated, 10 unchanged\.$/);
  t.is(await countAt(`${base}/acme/Patient`), 2);
});

test('a running server serves within a second what another process loads', async (t) => {
  const { run, folder, serve } = await createWorkplace(t);
  const base = await serve();
  await run('partition', 'create', 'late');
  await writeSamples(join(folder, 'samples'), 1);
  await run('load', 'samples', '--partition', 'late');
  await pause(COHERENCE_MS);
  t.is(await countAt(`${base}/late/Observation?code=8480-6`), 2);
  t.is((await fetch(`${base}/late/Patient/${sampleId(1, 0)}`)).status, 200);
});

test('interceptors of the settings take part, and header or token settings do not keep the command out', async (t) => {
  const { run, folder, serve } = await createWorkplace(t);
  await run('partition', 'create', 'acme');
  await writeFile(join(folder, 'one.json'), patient('1'));
  const module = join(folder, 'mine.mjs');
  await writeFile(
    module,
    `export default { name: 'mine', hooks: { STORAGE_PRESTORAGE_RESOURCE_CREATED: ({ value }) => ({ ...value, active: true }) } };`,
  );
  const { exit, out } = await run(
    'load',
    'one.json',
    '--partition',
    'acme',
    '--interceptors',
    module,
    '--partitioning',
    'header',
  );
  t.is(exit, 0, out);
  t.like(await get(`${await serve()}/acme/Patient/1`), { active: true });
});

test('nothing is begun without the partition, the path or the server', async (t) => {
  const { run, folder } = await createWorkplace(t);
  await writeFile(join(folder, 'one.json'), patient('1'));
  await writeFile(join(folder, 'one.csv'), 'Patient,1');
  await mkdir(join(folder, 'empty'));
  const errors = [
    [['one.json', '--partition', 'acme'], /UNKNOWN_PARTITION.*bulkhead partition create acme$/],
    [['gone.json'], /gone\.json does not exist\.$/],
    [['one.csv'], /one\.csv is neither \.json nor \.ndjson/],
    [['empty'], /empty has no \.json/],
    [['one.json', '--url', 'http://127.0.0.1:9/fhir'], /cannot be reached/],
    [['one.json', '--url', 'nowhere'], /is not a URL such as/],
    [['one.json', '--concurrency', '0'], /is not an integer from 1 to 99/],
    [['one.json', '--header', 'A: b'], /--header goes with --url only/],
    [['one.json', '--token-file', 'token'], /--token-file goes with --url only/],
    [['one.json', '--url', 'http://127.0.0.1:9/fhir', '--token-file', 'none'], /none cannot be read/],
  ] as const;
  for (const [words, expected] of errors) {
    const { exit, err } = await run('load', ...words);
    t.is(exit, 1, words.join(' '));
    t.regex(err, expected);
  }
});

test('without a partition, resources go to DEFAULT, over HTTP to the base as it is', async (t) => {
  const { run, folder, serve } = await createWorkplace(t);
  await writeFile(join(folder, 'one.json'), patient('1'));
  await writeFile(join(folder, 'two.json'), patient('2'));
  await run('load', 'one.json');
  const base = await serve();
  await run('partition', 'create', 'acme');
  const end = Date.now() + COHERENCE_MS;
  while ((await fetch(`${base}/acme/Patient`)).status === 404 && Date.now() < end) await pause(20);
  t.is((await run('load', 'two.json', '--url', `${base}/acme`)).exit, 0);
  t.is((await fetch(`${base}/DEFAULT/Patient/1`)).status, 200);
  t.is((await fetch(`${base}/acme/Patient/2`)).status, 200);
});

test('a tenant that the settings let come into being is made by loading', async (t) => {
  const { run, folder, serve } = await createWorkplace(t);
  await writeFile(join(folder, 'one.json'), patient('1'));
  const words = ['load', 'one.json', '--partition', 'fresh', '--auto-create-partitions'];
  const { exit, out, err } = await run(...words);
  t.is(exit, 0, out + err);
  t.is(await countAt(`${await serve()}/fresh/Patient`), 1);
});

test('told to stop, it finishes what is under way and says how to go on', async (t) => {
  const { runWith, folder } = await createWorkplace(t);
  await writeSamples(join(folder, 'samples'), 2);
  const { exit, err } = await runWith({ stopSignal: () => AbortSignal.abort() }, 'load', 'samples');
  t.is(exit, 130);
  t.regex(err, /Repeat the command to go on/);
});

test('Bundles that are answers or a past are refused', async (t) => {
  const { run, folder } = await createWorkplace(t);
  for (const type of ['history', 'transaction-response', 'nonsense']) {
    await writeFile(
      join(folder, `${type}.json`),
      JSON.stringify({ resourceType: 'Bundle', type, entry: [] }),
    );
    const { exit, out } = await run('load', `${type}.json`);
    t.is(exit, 1);
    t.regex(out, new RegExp(`A Bundle of type '${type}' cannot be loaded`));
  }
});
