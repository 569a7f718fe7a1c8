import test from 'ava';
import type { FhirResource } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { matchesOf, namesOf, pagesOf, type Bundle } from './pages.js';

const server = await createTestServer({ partitions: ['acme', 'other'], settings: { fullText: 'on' } });
const root = new FhirClient(server.url);
const [acme, other] = [root.tenant('acme'), root.tenant('other')];
test.after.always(() => server.stop());

const narrative = (text: string) => ({
  status: 'generated' as const,
  div: `<div xmlns="http://www.w3.org/1999/xhtml">${text}</div>`,
});

const condition = (id: string, text: string, rest: object = {}): FhirResource => ({
  resourceType: 'Condition',
  id,
  subject: { reference: 'Patient/p', display: 'Renée Okafor' },
  text: narrative(text),
  ...rest,
});

const STORED: readonly FhirResource[] = [
  { resourceType: 'Patient', id: 'p', name: [{ family: 'Okafor', given: ['Renée'] }], gender: 'female' },
  { resourceType: 'Patient', id: 'q', name: [{ family: 'Müller' }], gender: 'male' },
  condition('bone', '<p>Metastases of the <b>bone</b> were found; bone scan to follow.</p>'),
  condition('liver', '<p title="bone">Metastases in the liver&#46; Caf&eacute; visits.</p><!-- spleen -->'),
  condition('lung', '<p>Lung metastases, no further finding.</p>', {
    note: [{ text: 'Follow-up of the liver in May 2024' }],
  }),
  condition('plain', '<p>Nothing to report</p>', { code: { text: 'ΜΕΛΈΤΗ 東京 clinic' } }),
  {
    resourceType: 'DocumentReference',
    id: 'd',
    status: 'current',
    description: 'Report about the bone',
    content: [{ attachment: { title: 'Scan', contentType: 'image/x-spleen', url: 'urn:spleen' } }],
  },
];

test.before(async () => {
  for (const client of [acme, other])
    for (const resource of STORED) await client.put(`${resource.resourceType}/${resource.id}`, resource);
  await other.put('Condition/foreign', condition('foreign', 'foreign bone metastases of the tenant beside'));
});

async function found(query: string, client = acme): Promise<string[]> {
  return namesOf(matchesOf(await pagesOf(client, query))).map((name) => name.split('/')[1] ?? '');
}

const sorted = async (query: string): Promise<string[]> => (await found(query)).toSorted();
const text = (query: string): string => encodeURIComponent(query);

test('_text finds what has all the words in its narrative, and nothing that stands elsewhere', async (t) => {
  t.deepEqual(await sorted('Condition?_text=metastases'), ['bone', 'liver', 'lung']);
  t.deepEqual(await sorted('Condition?_text=metastases bone'), ['bone']);
  t.deepEqual(await sorted('Condition?_text=LIVER'), ['liver']);
  t.deepEqual(await sorted('Condition?_text=spleen'), []);
  t.deepEqual(await sorted('Condition?_text=okafor'), []);
  t.deepEqual(await sorted('DocumentReference?_text=bone'), []);
});

test('_content finds narrative and every string that people read', async (t) => {
  t.deepEqual(await sorted('Condition?_content=liver'), ['liver', 'lung']);
  t.deepEqual(await sorted('Condition?_content=okafor metastases'), ['bone', 'liver', 'lung']);
  t.deepEqual(await sorted('DocumentReference?_content=scan bone'), ['d']);
  t.deepEqual(await sorted('DocumentReference?_content=spleen'), []);
  t.deepEqual(await sorted('Patient?_content=female'), []);
});

test('case, accents and the script of a word do not matter', async (t) => {
  t.deepEqual(await sorted(`Patient?_content=${text('RENEE')}`), ['p']);
  t.deepEqual(await sorted(`Patient?_content=${text('muller')}`), ['q']);
  t.deepEqual(await sorted(`Condition?_text=${text('CAFÉ')}`), ['liver']);
  t.deepEqual(await sorted(`Condition?_content=${text('μελετη')}`), ['plain']);
  t.deepEqual(await sorted(`Condition?_content=${text('京')}`), ['plain']);
  t.deepEqual(await sorted(`Condition?_content=${text('東京')}`), ['plain']);
  t.deepEqual(await sorted(`Condition?_content=${text('京東')}`), []);
});

const QUERIES: Readonly<Record<string, readonly string[]>> = {
  '(bone OR liver) and metastases': ['bone', 'liver'],
  'bone or liver': ['bone', 'liver'],
  'bone,lung': ['bone', 'lung'],
  'metastases -liver': ['bone', 'lung'],
  'metastases not liver NOT bone': ['lung'],
  'metastases -(liver or bone)': ['lung'],
  '"bone scan"': ['bone'],
  '"scan bone"': [],
  '"metastases of the bone"': ['bone'],
  'metas* find*': ['lung'],
  '"bone sc*"': ['bone'],
  'l* -lung': ['liver'],
  'nothing-to': ['plain'],
  'nothing-report': [],
};

for (const [query, ids] of Object.entries(QUERIES)) {
  test(`_text=${query} finds ${ids.join(' and ') || 'nothing'}`, async (t) => {
    t.deepEqual(await sorted(`Condition?_text=${text(query)}`), ids);
  });
}

test('a phrase does not go from one element into the next', async (t) => {
  t.deepEqual(await sorted(`Patient?_content=${text('okafor renee')}`), ['p']);
  t.deepEqual(await sorted(`Patient?_content=${text('"okafor renee"')}`), []);
  t.deepEqual(await sorted(`Condition?_content=${text('"may 2024"')}`), ['lung']);
});

const MALFORMED: Readonly<Record<string, RegExp>> = {
  '': /at character 1 a word, a phrase or a bracket is missing/,
  'a or': /at character 5 a word/,
  'or a': /at character 1 a word/,
  '"a b': /at character 1 the phrase that begins here has no end/,
  '(a b': /at character 1 the bracket that begins here has no end/,
  'a)': /at character 2 no bracket is open here/,
  'a -b or -c': /at character 9 say also what is to be there/,
  '-a': /at character 1 say also/,
  'a*b': /at character 2 the \* stands at the end/,
  'a & b': /at character 3 there is no letter or digit/,
  'a and and b': /at character 7 a word/,
};

for (const [query, message] of Object.entries(MALFORMED)) {
  test(`_content=${query} is refused and says where it is wrong`, async (t) => {
    const answer = await acme.get(`Condition?_content=${text(query)}`);
    assertError(t, answer, 400, 'INVALID_SEARCH');
    t.regex(answer.text, message);
  });
}

test('too much of everything is refused by limits', async (t) => {
  const words = Array.from({ length: 100 }, (_, n) => `word${n}`).join(' ');
  assertError(t, await acme.get(`Condition?_text=${text(words)}`), 400, 'LIMIT_EXCEEDED');
  const nested = `${'('.repeat(1000)}a${')'.repeat(1000)}`;
  assertError(t, await acme.get(`Condition?_text=${text(nested)}`), 400, 'LIMIT_EXCEEDED');
});

for (const [query, said] of [
  ['_text:exact=a', /"_text:exact"/],
  ['_content:missing=true', /"_content:missing"/],
  ['_text:contains=a', /"_text:contains"/],
  ['_sort=_text', /"_sort": nothing is sorted by "_text"; what fits it best comes first/],
  ['_sort=-_content,_id', /nothing is sorted by "-_content"/],
  ['_text=a&_contained=true', /"_contained": where contained resources are searched, _text is no parameter/],
  ['_content=a&_contained=both', /"_contained": .* _content is no parameter/],
  ['_filter=_text co "bone"', /"_filter, character 1": "_text" is a parameter of its own/],
  ['_filter=subject._content eq "a"', /character 9": "_content" is a parameter of its own/],
  ['_filter=subject[_text pr true].gender eq male', /character 9": "_text" is a parameter of its own/],
  ['_filter=_id eq bone and _contained eq true', /character 17": "_contained" is a parameter of its own/],
  ['_filter=_query eq a', /"_query" is a parameter of its own/],
  ['_filter=_list eq a', /"_list" is a parameter of its own/],
] as const) {
  test(`${query} is refused, and named`, async (t) => {
    for (const prefer of ['handling=strict', 'handling=lenient']) {
      if (prefer.endsWith('lenient') && !query.startsWith('_filter')) continue;
      const { status, body } = await acme.get(`Condition?${query.replaceAll(' ', '%20')}`, { prefer });
      t.is(status, 400, query);
      t.regex(body.issue[0]?.diagnostics ?? '', said);
    }
  });
}

test('matches come by their score, which is from 0 to 1', async (t) => {
  const { body } = await acme.get<Bundle>('Condition?_text=bone or metastases');
  const scores = (body.entry ?? []).map(({ search }) => search?.score ?? -1);
  t.is(body.entry?.[0]?.resource?.id, 'bone');
  t.is(scores.length, 3);
  t.deepEqual(
    scores,
    scores.toSorted((a, b) => b - a),
  );
  t.true(scores.every((score) => score > 0 && score <= 1));
  t.true(scores[0]! > scores[1]!);
});

test('_sort replaces the order by score', async (t) => {
  t.deepEqual(await found('Condition?_text=metastases&_sort=_id'), ['bone', 'liver', 'lung']);
  t.deepEqual(await found('Condition?_text=metastases&_sort=-_id'), ['lung', 'liver', 'bone']);
  const { body } = await acme.get<Bundle>('Condition?_text=metastases&_sort=_id');
  t.true(body.entry?.every(({ search }) => search?.score === undefined));
});

test('pages add up in one order, whatever the size', async (t) => {
  const whole = await found('Condition?_content=metastases or okafor');
  t.is(whole.length, 4);
  for (const count of [1, 2, 3])
    t.deepEqual(await found(`Condition?_content=metastases or okafor&_count=${count}`), whole);
});

test('text goes with all other parameters', async (t) => {
  t.deepEqual(await sorted('Condition?_text=metastases&_id=bone,plain'), ['bone']);
  t.deepEqual(await sorted('Condition?_text=metastases&subject.gender=female&_content=liver'), [
    'liver',
    'lung',
  ]);
  t.deepEqual(await sorted('Condition?subject:Patient._content=renee&_text=lung'), ['lung']);
  t.deepEqual(await sorted('Patient?_has:Condition:subject:_text=lung'), ['p']);
  t.deepEqual(await sorted('Patient?_has:Condition:subject:_text=foreign'), []);
  const { body } = await acme.get<Bundle>('Condition?_text=metastases&_summary=count');
  t.is(body.total, 3);
});

test('text is searched over several types', async (t) => {
  t.deepEqual(await sorted('?_type=Condition,DocumentReference&_content=bone'), ['bone', 'd']);
  t.deepEqual(await sorted('?_content=renee'), ['bone', 'liver', 'lung', 'p', 'plain']);
  t.deepEqual(await sorted('Patient/p/Condition?_text=bone'), ['bone']);
});

async function scoresOf(client: FhirClient): Promise<unknown> {
  const { body } = await client.get<Bundle>('Condition?_text=bone&_id=bone');
  return body.entry?.map(({ search }) => search?.score);
}

test('nothing of other tenants is found, nor changes the order or the score', async (t) => {
  t.deepEqual(await sorted('Condition?_content=foreign'), []);
  const before = await scoresOf(acme);
  for (let n = 0; n < 5; n++)
    await other.put(`Condition/more${n}`, condition(`more${n}`, 'bone '.repeat(n + 1)));
  t.deepEqual(await scoresOf(acme), before);
  t.deepEqual(await sorted('Condition?_text=bone'), ['bone']);
});

test('several tenants are searched as one', async (t) => {
  const all = await found('Condition?_text=lung', root.tenant('_ALL'));
  t.deepEqual(all, ['lung', 'lung']);
  const first = await found('Condition?_text=liver&_count=1', root.tenant('_ALL'));
  t.deepEqual(first, ['liver', 'liver']);
});

const note = (words: string): FhirResource => ({
  resourceType: 'DocumentReference',
  id: 'moving',
  status: 'current',
  text: narrative(words),
  content: [{ attachment: { url: 'urn:x' } }],
});

test('updates, deletes and revivals are followed', async (t) => {
  await acme.put('DocumentReference/moving', note('ephemeral'));
  t.deepEqual(await found('DocumentReference?_text=ephemeral'), ['moving']);
  await acme.put('DocumentReference/moving', note('lasting'));
  t.deepEqual(await found('DocumentReference?_text=ephemeral'), []);
  t.deepEqual(await found('DocumentReference?_text=lasting'), ['moving']);
  await acme.delete('DocumentReference/moving');
  t.deepEqual(await found('DocumentReference?_text=lasting'), []);
  await acme.put('DocumentReference/moving', note('ephemeral'));
  t.deepEqual(await found('DocumentReference?_text=ephemeral'), ['moving']);
  await acme.delete('DocumentReference/moving');
});

test('the capability statement lists both parameters', async (t) => {
  const { body } = await acme.get<{
    rest: { resource: { type: string; searchParam: { name: string }[] }[] }[];
  }>('metadata');
  const names = body.rest[0]?.resource
    .find(({ type }) => type === 'Condition')
    ?.searchParam.map(({ name }) => name);
  t.true(names?.includes('_text'));
  t.true(names?.includes('_content'));
});

test('where full text is off, both are refused and name the setting', async (t) => {
  const off = await createTestServer({ partitions: ['acme'] });
  t.teardown(() => off.stop());
  const client = new FhirClient(off.url).tenant('acme');
  for (const name of ['_text', '_content']) {
    const answer = await client.get(`Condition?${name}=a`);
    assertError(t, answer, 400, 'UNKNOWN_SEARCH_PARAMETER');
    t.regex(answer.text, /setting fullText/);
  }
});
