import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { createWorkplace, type Workplace } from './fixtures.js';

const patient = (id: string, more: object = {}): object => ({ resourceType: 'Patient', id, ...more });

const observation = (id: string, of: string, more: object = {}): object => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { text: 'x' },
  subject: { reference: `Patient/${of}` },
  ...more,
});

/** A database in which acme and beta hold something. */
async function openFilled(t: ExecutionContext): Promise<Workplace> {
  const workplace = await createWorkplace(t);
  const { run, folder } = workplace;
  const group = { resourceType: 'Group', id: 'g', type: 'person', actual: true };
  const member = [{ entity: { reference: 'Patient/a' } }];
  const stored = [
    patient('a'),
    patient('b', { gender: 'male' }),
    observation('oa', 'a'),
    observation('ob', 'b'),
  ];
  const organization = { resourceType: 'Organization', id: 'z', name: 'Z' };
  await writeLines(join(folder, 'acme.ndjson'), [...stored, { ...group, member }, organization]);
  await writeLines(join(folder, 'beta.ndjson'), [patient('secret')]);
  for (const name of ['acme', 'beta']) {
    await run('partition', 'create', name);
    t.is((await run('load', `${name}.ndjson`, '--partition', name)).exit, 0);
  }
  return workplace;
}

function writeLines(path: string, resources: readonly object[]): Promise<void> {
  return writeFile(path, resources.map((resource) => `${JSON.stringify(resource)}\n`).join(''));
}

/** `Type/id` of the lines of all files of resources, in order. */
async function exportedIn(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((name) => /^[A-Z].*\.ndjson$/.test(name));
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  const lines = texts.flatMap((text) => text.split('\n').filter(Boolean));
  return lines
    .map((line) => JSON.parse(line) as { resourceType: string; id: string })
    .map(({ resourceType, id }) => `${resourceType}/${id}`)
    .toSorted();
}

test('a partition is exported to files by type, with a manifest that names them', async (t) => {
  const { run, folder } = await openFilled(t);
  const { exit, out, err } = await run('export', '--partition', 'acme', '--out', 'out');
  t.is(exit, 0, out + err);
  t.regex(out, /^Exported 6 resources to 4 files: [\d.]+ MB in [\d.]+ s \(\d+\/s\), as of 2\S+Z\.$/m);
  t.regex(out, /^What changes after that: --since 2\S+Z$/m);
  const files = ['Group', 'Observation', 'Organization', 'Patient'].map((type) => `${type}.1.ndjson`);
  t.deepEqual((await readdir(join(folder, 'out'))).toSorted(), [...files, 'manifest.json']);
  t.is((await exportedIn(join(folder, 'out'))).length, 6);
  const manifest = JSON.parse(await readFile(join(folder, 'out', 'manifest.json'), 'utf8')) as {
    output: readonly { url: string; count: number }[];
  };
  t.deepEqual(manifest.output.map(({ url, count }) => `${url} ${count}`).toSorted(), [
    'Group.1.ndjson 1',
    'Observation.1.ndjson 2',
    'Organization.1.ndjson 1',
    'Patient.1.ndjson 2',
  ]);
  t.is((await stat(join(folder, 'out'))).mode & 0o077, 0, "patients' data is for their user alone");
});

test('types, filters, patients, a group and elements limit what is exported', async (t) => {
  const { run, folder } = await openFilled(t);
  const asked = [
    [
      ['--type', 'Patient', '--type', 'Organization'],
      ['Organization/z', 'Patient/a', 'Patient/b'],
    ],
    [['--type', 'Patient', '--type-filter', 'Patient?gender=male'], ['Patient/b']],
    [
      ['--level', 'patient', '--patient', 'b'],
      ['Observation/ob', 'Patient/b'],
    ],
    [
      ['--group', 'g'],
      ['Group/g', 'Observation/oa', 'Patient/a'],
    ],
    [['--until', '2001-01-01'], []],
  ] as const;
  for (const [index, [words, expected]] of asked.entries()) {
    const { exit, err } = await run('export', '--partition', 'acme', '--out', `${index}`, ...words);
    t.is(exit, 0, words.join(' ') + err);
    t.deepEqual(await exportedIn(join(folder, `${index}`)), expected, words.join(' '));
  }
  await run('export', '--partition', 'acme', '--out', 'elements', '--type', 'Patient', '--elements', 'id');
  t.notRegex(await readFile(join(folder, 'elements', 'Patient.1.ndjson'), 'utf8'), /gender/);
});

test('files are packed where that is asked for, and named so in the manifest', async (t) => {
  const { run, folder } = await openFilled(t);
  const { exit, out } = await run(
    'export',
    '--partition',
    'acme',
    '--out',
    'out',
    '--gzip',
    '--type',
    'Patient',
  );
  t.is(exit, 0, out);
  t.deepEqual((await readdir(join(folder, 'out'))).toSorted(), ['Patient.1.ndjson.gz', 'manifest.json']);
  const text = gunzipSync(await readFile(join(folder, 'out', 'Patient.1.ndjson.gz'))).toString();
  t.is(text.trimEnd().split('\n').length, 2);
  t.regex(await readFile(join(folder, 'out', 'manifest.json'), 'utf8'), /"Patient\.1\.ndjson\.gz"/);
});

test('what cannot be asked for is told, and leaves no folder', async (t) => {
  const { run, folder } = await openFilled(t);
  const errors = [
    [['--partition', 'gone'], 1, /There is no partition 'gone'/],
    [['--partition', 'acme', '--type', 'Patients'], 1, /_type: 'Patients' is no resource type/],
    [['--partition', 'acme', '--type-filter', 'Patient?x=1'], 1, /has no search parameter "x"/],
    [['--partition', 'acme', '--group', 'none'], 1, /Group\/none/],
    [['--partition', 'beta', '--group', 'g'], 1, /Group\/g/],
    [['--partition', 'acme', '--group', 'g', '--level', 'system'], 1, /--group goes without/],
    [['--level', 'everything'], 2, /Allowed choices are system, patient/],
  ] as const;
  for (const [words, code, expected] of errors) {
    const { exit, err } = await run('export', '--out', 'out', ...words);
    t.is(exit, code, words.join(' '));
    t.regex(err, expected);
  }
  t.false((await readdir(folder)).includes('out'));
  t.is((await run('export', '--partition', 'acme')).exit, 2);
});

test('a folder that holds anything is left alone', async (t) => {
  const { run, folder } = await openFilled(t);
  t.is((await run('export', '--partition', 'beta', '--out', 'out')).exit, 0);
  const before = await readdir(join(folder, 'out'));
  const { exit, err } = await run('export', '--partition', 'acme', '--out', 'out');
  t.is(exit, 1);
  t.regex(err, /^error: out is not empty/);
  t.deepEqual(await readdir(join(folder, 'out')), before);
  t.regex((await run('export', '--partition', 'acme', '--out', 'acme.ndjson')).err, /cannot be written to/);
});

test('an export that is stopped leaves nothing', async (t) => {
  const { runWith, folder } = await openFilled(t);
  const stop = AbortSignal.abort();
  const words = ['export', '--partition', 'acme', '--out', 'out'];
  const { exit, err } = await runWith({ stopSignal: () => stop }, ...words);
  t.is(exit, 130);
  t.regex(err, /^Stopped before the end\. Nothing was exported\.$/);
  t.false((await readdir(folder)).includes('out'));
});
