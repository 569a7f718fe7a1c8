import test from 'ava';
import type { PartitionScope } from '../../src/model/partition.js';
import type { QueryParameter, RequestDetails } from '../../src/model/request.js';
import type { Bundle } from '../../src/model/resource.js';
import { toSearchBundle, type BundleStyle } from '../../src/search/bundle.js';
import type { PageState } from '../../src/search/page-token.js';
import { DEFAULT_SEARCH_LIMITS, type SearchLimits } from '../../src/search/search-request.js';
import { Searcher } from '../../src/search/searcher.js';
import { scopeOf, SearchDatabase } from '../storage/search/fixtures.js';
import { BASE, context } from './fixtures.js';

const SCOPE = scopeOf(1);

/** A searcher over seven observations of two patients with one general practitioner. */
function sample(
  limits: Partial<SearchLimits> = {},
  clock = () => 0,
): { db: SearchDatabase; searcher: Searcher } {
  const db = new SearchDatabase();
  const doctor = db.add(1, 'Practitioner/doc', [db.string('name', 'House')]);
  const patients = ['p0', 'p1'].map((id) =>
    db.add(1, `Patient/${id}`, [db.string('name', id), db.link('generalPractitioner', doctor)]),
  );
  for (const index of [0, 1, 2, 3, 4, 5, 6]) {
    db.add(1, `Observation/o${index}`, [
      db.token('code', 'hr', 'http://loinc.org'),
      db.link('subject', patients[index % 2]!),
      db.date('effective', index),
    ]);
  }
  const searcher = new Searcher({
    store: db.store,
    inForce: () => ({ parameters: context.registry, referencesOf: () => [] }),
    codes: { codesIn: async () => new Map(), related: async () => [] },
    definitions: scopeOf(0),
    limits: { ...DEFAULT_SEARCH_LIMITS, ...limits },
    secret: 'secret',
    pageLifetime: 1e16,
    clock,
  });
  return { db, searcher };
}

function requestOf(prefer?: string): RequestDetails {
  const headers = new Map(prefer === undefined ? [] : [['prefer', [prefer]] as const]);
  return { base: BASE, headers } as unknown as RequestDetails;
}

function parametersOf(query: string): QueryParameter[] {
  return [...new URLSearchParams(query)];
}

async function search(
  searcher: Searcher,
  query: string,
  { scope = SCOPE, prefer }: { scope?: PartitionScope; prefer?: string } = {},
): Promise<Bundle & { total?: number }> {
  const [type = '', text = ''] = query.split('?');
  const result = await searcher.run(
    scope,
    await searcher.parse(scope, requestOf(prefer), type, parametersOf(text)),
  );
  return JSON.parse(toSearchBundle(result, { base: BASE })) as Bundle;
}

function linkOf(bundle: Bundle, relation: string): string | undefined {
  return (bundle['link'] as { relation: string; url: string }[]).find((link) => link.relation === relation)
    ?.url;
}

function entriesOf(bundle: Bundle): string[] {
  return (bundle.entry ?? []).map((entry) => {
    const { mode } = entry['search'] as { mode: string };
    return `${mode} ${entry.resource?.resourceType}/${entry.resource?.id ?? ''}`;
  });
}

async function pageOf(searcher: Searcher, url: string, style: Partial<BundleStyle> = {}): Promise<Bundle> {
  const page = new URL(url).searchParams.get('_page')!;
  const state = searcher.openPage<PageState>(SCOPE, page);
  const result = await searcher.page(SCOPE, requestOf(), state);
  return JSON.parse(toSearchBundle(result, { base: BASE, page, ...style })) as Bundle;
}

test('a searchset has its total, links, full URLs and modes', async (t) => {
  const bundle = await search(sample().searcher, 'Patient?name=p0');
  t.deepEqual(bundle, {
    resourceType: 'Bundle',
    type: 'searchset',
    total: 1,
    link: [{ relation: 'self', url: `${BASE}/Patient?name=p0` }],
    entry: [
      {
        fullUrl: `${BASE}/Patient/p0`,
        resource: { resourceType: 'Patient', id: 'p0' },
        search: { mode: 'match' },
      },
    ],
  });
});

test('an empty searchset has no entry', async (t) => {
  const bundle = await search(sample().searcher, 'Patient?name=nobody');
  t.is(bundle.total, 0);
  t.false('entry' in bundle);
});

test('pages add up to the whole, each with the total of the first, and end', async (t) => {
  for (const query of ['code=hr', 'code=http://loinc.org|hr', '_sort=-date', 'code=hr&_sort=date', '']) {
    const { searcher } = sample();
    let bundle = await search(searcher, `Observation?${query}&_count=3`);
    const seen: string[] = entriesOf(bundle);
    t.is(bundle.total, 7);
    for (let next = linkOf(bundle, 'next'); next !== undefined; next = linkOf(bundle, 'next')) {
      t.true(next.startsWith(`${BASE}?_page=`));
      bundle = await pageOf(searcher, next);
      t.is(linkOf(bundle, 'self'), next);
      t.is(bundle.total, 7);
      seen.push(...entriesOf(bundle));
    }
    t.is(seen.length, 7);
    t.is(new Set(seen).size, 7);
  }
});

test('what is approximately a date does not move from page to page', async (t) => {
  let now = 1000;
  const { searcher } = sample({}, () => now);
  const first = await search(searcher, 'Observation?date=ap1970&_count=1');
  now = 1e15;
  const second = await pageOf(searcher, linkOf(first, 'next')!);
  t.is(entriesOf(second).length, 1);
  t.is(
    searcher.openPage<PageState>(SCOPE, new URL(linkOf(second, 'next')!).searchParams.get('_page')!).asOf,
    1000,
  );
});

test('a page link is unknown in another scope', async (t) => {
  const { searcher } = sample();
  const next = linkOf(await search(searcher, 'Observation?_count=1'), 'next')!;
  const token = new URL(next).searchParams.get('_page')!;
  t.throws(() => searcher.openPage(scopeOf(2), token), { message: /not known here/ });
});

test('another scope finds nothing', async (t) => {
  const { searcher } = sample();
  for (const query of [
    'Observation?code=hr',
    'Observation',
    'Patient?_id=p0',
    'Observation?subject.name=p0',
  ]) {
    t.deepEqual(entriesOf(await search(searcher, query, { scope: scopeOf(2) })), []);
  }
});

test('the total can be left out, and is left out where counting is not worth it', async (t) => {
  const { searcher } = sample({ maxCounted: 5 });
  t.is((await search(searcher, 'Observation?_count=3')).total, undefined);
  t.is((await search(searcher, 'Observation?_count=3&_total=accurate')).total, 7);
  t.is((await search(searcher, 'Observation?_count=3&_total=estimate')).total, 7);
  t.is((await search(searcher, 'Observation?_count=9')).total, 7);
  t.is((await search(searcher, 'Observation?_count=9&_total=none')).total, undefined);
});

test('a count of zero and a summary of count answer the total alone', async (t) => {
  for (const query of ['_count=0', '_summary=count']) {
    const bundle = await search(sample().searcher, `Observation?code=hr&${query}`);
    t.is(bundle.total, 7);
    t.deepEqual(entriesOf(bundle), []);
  }
});

test('an include comes once for all matches', async (t) => {
  const bundle = await search(
    sample().searcher,
    'Observation?date=1970&_include=Observation:patient&_count=4',
  );
  t.deepEqual(entriesOf(bundle).slice(4).toSorted(), ['include Patient/p0', 'include Patient/p1']);
});

test('an include follows included resources only where it iterates', async (t) => {
  const { searcher } = sample();
  const base = 'Observation?_id=o0&_include=Observation:subject';
  const [plain, iterated] = [
    await search(searcher, `${base}&_include=Patient:general-practitioner`),
    await search(searcher, `${base}&_include:iterate=Patient:general-practitioner`),
  ];
  t.deepEqual(entriesOf(plain), ['match Observation/o0', 'include Patient/p0']);
  t.deepEqual(entriesOf(iterated), [
    'match Observation/o0',
    'include Patient/p0',
    'include Practitioner/doc',
  ]);
});

test('a reverse include brings what refers to the matches', async (t) => {
  const bundle = await search(sample().searcher, 'Patient?_id=p1&_revinclude=Observation:subject');
  t.deepEqual(entriesOf(bundle), [
    'match Patient/p1',
    'include Observation/o1',
    'include Observation/o3',
    'include Observation/o5',
  ]);
});

test('a match is not included again', async (t) => {
  const bundle = await search(
    sample().searcher,
    'Patient?_revinclude=Observation:subject&_include:iterate=Observation:subject',
  );
  t.is(entriesOf(bundle).length, 9);
  t.is(new Set(entriesOf(bundle)).size, 9);
});

test('more to include than the limit is left out, with a warning', async (t) => {
  const bundle = await search(
    sample({ maxIncluded: 2 }).searcher,
    'Patient?_id=p0&_revinclude=Observation:subject',
  );
  t.deepEqual(entriesOf(bundle), [
    'match Patient/p0',
    'include Observation/o0',
    'include Observation/o2',
    'outcome OperationOutcome/',
  ]);
});

test('lenient handling reports in the bundle what the self link leaves out', async (t) => {
  const prefer = 'return=minimal; handling=lenient';
  const bundle = await search(sample().searcher, 'Patient?name=p0&never=1', { prefer });
  t.is(linkOf(bundle, 'self'), `${BASE}/Patient?name=p0`);
  t.deepEqual(entriesOf(bundle), ['match Patient/p0', 'outcome OperationOutcome/']);
  const outcome = bundle.entry?.at(-1)?.resource?.['issue'] as { diagnostics: string }[];
  t.regex(outcome[0]!.diagnostics, /"never"/);
});

test('a condition is judged strictly, and two matches are enough', async (t) => {
  const { searcher } = sample();
  const lenient = requestOf('handling=lenient');
  t.is((await searcher.match(SCOPE, lenient, 'Patient', parametersOf('name=p0'))).length, 1);
  t.is((await searcher.match(SCOPE, lenient, 'Observation', parametersOf('code=hr'))).length, 2);
  await t.throwsAsync(async () => searcher.match(SCOPE, lenient, 'Patient', parametersOf('never=1')), {
    message: /never/,
  });
});

test('no resource lacks an id or a time of its last update', async (t) => {
  const { searcher } = sample();
  for (const code of ['_id', '_lastUpdated']) {
    t.is((await search(searcher, `Patient?${code}:missing=true`)).total, 0, code);
    t.is((await search(searcher, `Patient?${code}:missing=false`)).total, 2, code);
    t.is((await search(searcher, `Observation?subject:Patient.${code}:missing=false`)).total, 7, code);
    t.is((await search(searcher, `Observation?subject:Patient.${code}:missing=true`)).total, 0, code);
  }
});

test('special marks survive the self link', async (t) => {
  const query = String.raw`name=a%26b%3Dc%5C%2Cd,e&_id=x%7Cy`;
  const self = linkOf(await search(sample().searcher, `Patient?${query}`), 'self')!;
  t.deepEqual([...new URL(self).searchParams], [...new URLSearchParams(query)]);
});

test('resources can be rendered by the caller', async (t) => {
  const { searcher } = sample();
  const result = await searcher.run(
    SCOPE,
    await searcher.parse(SCOPE, requestOf(), 'Patient', [['_id', 'p0']]),
  );
  const text = toSearchBundle(result, { base: BASE, render: (row) => JSON.stringify({ seen: row.id }) });
  t.true(text.includes('"resource":{"seen":"p0"}'));
});
