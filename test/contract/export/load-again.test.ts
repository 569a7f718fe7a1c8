import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createWorkplace, type Workplace } from '../../cli/fixtures.js';
import { sampleFolder } from '../../support/sample-bundles.js';

type Line = Readonly<Record<string, unknown>> & { readonly meta?: Readonly<Record<string, unknown>> };

async function openTenants(t: ExecutionContext): Promise<Workplace> {
  const workplace = await createWorkplace(t);
  for (const name of ['acme', 'other']) await workplace.run('partition', 'create', name);
  return workplace;
}

/** The exported lines without version and time, in order. */
async function contentOf(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((name) => /^[A-Z].*\.ndjson$/.test(name));
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return texts
    .flatMap((text) => text.split('\n').filter(Boolean))
    .map((line) => comparable(JSON.parse(line) as Line))
    .toSorted();
}

/** Members in one order: where `data` stands depends on where content is kept. */
function comparable({ meta = {}, ...line }: Line): string {
  const { versionId: _version, lastUpdated: _updated, ...labels } = meta;
  const members = Object.entries({ ...line, meta: labels });
  return JSON.stringify(Object.fromEntries(members.toSorted(([one], [other]) => (one < other ? -1 : 1))));
}

/** Exports a partition to a folder of its name; answers the time of the export. */
async function exportTo(
  t: ExecutionContext,
  { run }: Workplace,
  { from, to, since = [] }: { from: string; to: string; since?: readonly string[] },
): Promise<string> {
  const { exit, out, err } = await run('export', '--partition', from, '--out', to, ...since);
  t.is(exit, 0, out + err);
  return /--since (\S+)$/m.exec(out)?.[1] ?? '';
}

async function loadInto(t: ExecutionContext, { run }: Workplace, from: string): Promise<string> {
  const { exit, out, err } = await run('load', from, '--partition', 'other');
  t.is(exit, 0, out + err);
  return out;
}

/** Loads lines into acme. */
async function storeLines(
  t: ExecutionContext,
  { run, folder }: Workplace,
  lines: readonly object[],
): Promise<void> {
  await writeFile(join(folder, 'stored.ndjson'), lines.map((line) => JSON.stringify(line)).join('\n'));
  const { exit, out } = await run('load', 'stored.ndjson', '--partition', 'acme');
  t.is(exit, 0, out);
}

const patient = (id: string, more: object = {}): object => ({ resourceType: 'Patient', id, ...more });
const organization = (id: string, partOf?: string): object => ({
  resourceType: 'Organization',
  id,
  name: id,
  ...(partOf !== undefined && { partOf: { reference: `Organization/${partOf}` } }),
});
const linked = (id: string, other: string): object =>
  patient(id, { link: [{ type: 'seealso', other: { reference: `Patient/${other}` } }] });
const observation = (id: string, of: string, more: object = {}): object => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { text: 'x' },
  subject: { reference: `Patient/${of}` },
  ...more,
});

test('what is exported and loaded into another partition is the same there, and stays so', async (t) => {
  const workplace = await openTenants(t);
  const { run, folder } = workplace;
  const samples = await sampleFolder(join(folder, 'samples'));
  const names = await readdir(samples.folder);
  const some = [...names.filter(isShared), ...names.filter((name) => !isShared(name)).slice(0, 2)];
  const paths = some.map((name) => join(samples.folder, name));
  t.is((await run('load', ...paths, '--partition', 'acme')).exit, 0);
  await exportTo(t, workplace, { from: 'acme', to: 'first' });
  t.regex(await loadInto(t, workplace, 'first'), /: \d+ created, 0 updated, 0 unchanged\.$/m);
  await exportTo(t, workplace, { from: 'other', to: 'second' });
  const first = await contentOf(join(folder, 'first'));
  t.true(first.length >= 10);
  t.true(sameLines(first, await contentOf(join(folder, 'second'))));
  t.regex(await loadInto(t, workplace, 'first'), /: 0 created, 0 updated, \d+ unchanged\.$/m);
});

/** The difference of thousands of lines would be longer than anybody reads. */
function sameLines(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((line, index) => line === other[index]);
}

test('resources that refer to each other in circles, chains and to themselves are loaded', async (t) => {
  const workplace = await openTenants(t);
  const { folder } = workplace;
  const chain = Array.from({ length: 40 }, (_, n) =>
    organization(`n${n}`, n === 39 ? undefined : `n${n + 1}`),
  );
  const related = { resourceType: 'RelatedPerson', id: 'r', patient: { reference: 'Patient/ring1' } };
  const ring = [1, 2, 3].map((n) => linked(`ring${n}`, `ring${(n % 3) + 1}`));
  const wide = patient('w', { link: [{ type: 'seealso', other: { reference: 'RelatedPerson/w' } }] });
  const back = { resourceType: 'RelatedPerson', id: 'w', patient: { reference: 'Patient/w' } };
  await storeLines(t, workplace, [
    observation('o', 'ring2'),
    related,
    ...ring,
    ...chain,
    linked('self', 'self'),
  ]);
  await storeLines(t, workplace, [wide, back]);
  await exportTo(t, workplace, { from: 'acme', to: 'first' });
  const out = await loadInto(t, workplace, 'first');
  t.regex(out, /: 48 created, 0 updated, 0 unchanged\.$/m);
  await exportTo(t, workplace, { from: 'other', to: 'second' });
  t.deepEqual(await contentOf(join(folder, 'second')), await contentOf(join(folder, 'first')));
});

test('a circle of which one leads nowhere is told line by line, and what is whole is loaded', async (t) => {
  const { run, folder } = await openTenants(t);
  const broken = { ...linked('b', 'a'), managingOrganization: { reference: 'Organization/gone' } };
  const lines = [linked('a', 'b'), broken, linked('c', 'd'), linked('d', 'c')];
  await writeFile(join(folder, 'p.ndjson'), lines.map((line) => JSON.stringify(line)).join('\n'));
  const { exit, out } = await run('load', 'p.ndjson', '--partition', 'acme');
  t.is(exit, 1);
  t.regex(out, /: 2 created, 0 updated, 0 unchanged\.$/m);
  t.regex(out, /^ {2}2 resources: REFERENCE_NOT_FOUND.*Organization\/gone/m);
  t.regex(out, /p\.ndjson line 1 \(Patient\/a\)\n.*p\.ndjson line 2 \(Patient\/b\)/);
});

test('a circle is as large as a transaction may be by the settings', async (t) => {
  const { run, folder } = await openTenants(t);
  const size = 251;
  const ring = Array.from({ length: size }, (_, n) => linked(`ring${n}`, `ring${(n + 1) % size}`));
  await writeFile(join(folder, 'ring.ndjson'), ring.map((line) => JSON.stringify(line)).join('\n'));
  const limited = await run('load', 'ring.ndjson', '--partition', 'acme', '--max-bundle-entries', '250');
  t.is(limited.exit, 1);
  t.regex(limited.out, /one of 251 resources that refer to each other; one transaction takes 250\./);
  const { exit, out } = await run('load', 'ring.ndjson', '--partition', 'acme');
  t.is(exit, 0, out);
  t.regex(out, /: 251 created, 0 updated, 0 unchanged\.$/m);
});

test('changes and deletions since the last export make the copy equal again', async (t) => {
  const workplace = await openTenants(t);
  const { run, folder, serve } = workplace;
  await storeLines(t, workplace, [patient('a'), patient('b'), patient('c'), observation('o', 'b')]);
  const time = await exportTo(t, workplace, { from: 'acme', to: 'first' });
  await loadInto(t, workplace, 'first');
  await storeLines(t, workplace, [
    patient('a', { active: true, meta: { tag: [{ code: 'new' }] } }),
    patient('d'),
    observation('o', 'd'),
    observation('p', 'c'),
  ]);
  const base = await serve();
  for (const path of ['Patient/b', 'Observation/p', 'Patient/c'])
    t.is((await fetch(`${base}/acme/${path}`, { method: 'DELETE' })).status, 204, path);
  await exportTo(t, workplace, { from: 'acme', to: 'more', since: ['--since', time] });
  t.true((await readdir(join(folder, 'more'))).includes('deleted.1.ndjson'));
  t.regex(await loadInto(t, workplace, 'more'), /: 1 created, 2 updated, 0 unchanged, 3 deleted\.$/m);
  t.is((await run('load', 'more', '--partition', 'other')).exit, 0, 'once more does no harm');
  await exportTo(t, workplace, { from: 'other', to: 'copy' });
  await exportTo(t, workplace, { from: 'acme', to: 'whole' });
  t.deepEqual(await contentOf(join(folder, 'copy')), await contentOf(join(folder, 'whole')));
  t.is((await fetch(`${base}/other/Patient/b`)).status, 410);
});

test('what refers to each other is deleted together, whatever the order of deletions', async (t) => {
  const workplace = await openTenants(t);
  const { folder, serve } = workplace;
  const related = { resourceType: 'RelatedPerson', id: 'r', patient: { reference: 'Patient/a' } };
  const link = [{ type: 'seealso', other: { reference: 'RelatedPerson/r' } }];
  const encounter = { resourceType: 'Encounter', id: 'e', status: 'planned', class: { code: 'AMB' } };
  const met = { encounter: { reference: 'Encounter/e' } };
  await storeLines(t, workplace, [patient('a', { link }), related, patient('b'), encounter]);
  await storeLines(t, workplace, [observation('o', 'b', met)]);
  const time = await exportTo(t, workplace, { from: 'acme', to: 'first' });
  await loadInto(t, workplace, 'first');
  const deleted = ['Patient/a', 'RelatedPerson/r', 'Encounter/e', 'Observation/o', 'Patient/b'];
  const entry = deleted.map((url) => ({ request: { method: 'DELETE', url } }));
  const transaction = { resourceType: 'Bundle', type: 'transaction', entry };
  const base = await serve();
  const headers = { 'content-type': 'application/fhir+json' };
  const { status } = await fetch(`${base}/acme`, {
    method: 'POST',
    headers,
    body: JSON.stringify(transaction),
  });
  t.is(status, 200);
  await exportTo(t, workplace, { from: 'acme', to: 'more', since: ['--since', time] });
  t.regex(await loadInto(t, workplace, 'more'), /: 0 created, 0 updated, 0 unchanged, 5 deleted\.$/m);
  await exportTo(t, workplace, { from: 'other', to: 'copy' });
  t.deepEqual(await contentOf(join(folder, 'copy')), []);
});

test('content of Binaries comes through, whatever its size, and Bundles stay Bundles', async (t) => {
  const workplace = await openTenants(t);
  const { run, folder, serve } = workplace;
  await run('partition', 'create', 'web');
  const base = await serve();
  await storeLines(t, workplace, [patient('a')]);
  const large = Buffer.alloc(700_000, 'abcdefg');
  const put = (id: string, body: Buffer | string, headers: Record<string, string>): Promise<Response> =>
    fetch(`${base}/acme/${id}`, { method: 'PUT', body: new Uint8Array(Buffer.from(body)), headers });
  await put('Binary/large', large, { 'content-type': 'image/png', 'x-security-context': 'Patient/a' });
  await put('Binary/json', Buffer.from(`"${'x'.repeat(500_000)}"`), {
    'content-type': 'application/octet-stream',
  });
  await put('Binary/small', 'hello', { 'content-type': 'text/plain' });
  const bundle = {
    resourceType: 'Bundle',
    id: 'b',
    type: 'collection',
    entry: [{ resource: patient('inner') }],
  };
  await put('Bundle/b', JSON.stringify(bundle), { 'content-type': 'application/fhir+json' });
  await exportTo(t, workplace, { from: 'acme', to: 'first' });
  t.regex(await loadInto(t, workplace, 'first'), /: 5 created, 0 updated, 0 unchanged\.$/m);
  t.regex(await loadInto(t, workplace, 'first'), /: 0 created, 0 updated, 5 unchanged\.$/m);
  const words = ['load', 'first', '--url', base, '--partition', 'web'];
  t.regex((await run(...words)).out, /: 5 created, 0 updated, 0 unchanged\.$/m);
  t.regex((await run(...words)).out, /: 0 created, 0 updated, 5 unchanged\.$/m);
  for (const copy of ['other', 'web']) {
    const read = await fetch(`${base}/${copy}/Binary/large`, { headers: { accept: 'image/png' } });
    t.true(Buffer.from(await read.arrayBuffer()).equals(large), copy);
  }
  t.is((await fetch(`${base}/other/Patient/inner`)).status, 404);
  await exportTo(t, workplace, { from: 'other', to: 'second' });
  t.true(sameLines(await contentOf(join(folder, 'first')), await contentOf(join(folder, 'second'))));
});

test('what an export tells about itself is not loaded, and what was not finished is refused', async (t) => {
  const workplace = await openTenants(t);
  const { run, folder } = workplace;
  await storeLines(t, workplace, [patient('a')]);
  await exportTo(t, workplace, { from: 'acme', to: 'out' });
  await exportTo(t, workplace, { from: 'acme', to: 'nothing', since: ['--until', '2001-01-01'] });
  await writeFile(join(folder, 'out', 'error.1.ndjson'), '{"resourceType":"OperationOutcome","issue":[]}\n');
  t.regex(await loadInto(t, workplace, 'out'), /^Loaded 1 resource of 1 file/m);
  t.regex(await loadInto(t, workplace, 'nothing'), /^Loaded 0 resources of 0 files/m);
  await writeFile(join(folder, 'out', '.unfinished'), '');
  const { exit, err } = await run('load', 'out', '--partition', 'other');
  t.is(exit, 1);
  t.regex(err, /out holds an export that was not finished/);
});

/** Synthea's files of what several patients refer to. */
function isShared(name: string): boolean {
  return name.includes('Information');
}
