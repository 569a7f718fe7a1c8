import test, { type ExecutionContext } from 'ava';
import type { Bundle } from 'fhir/r4.js';
import { parseOutputKey } from '../../../src/storage/output/output-key.js';
import { createTestServer } from '../../support/test-server.js';
import { type Answer, FhirClient } from '../support/fhir-client.js';
import { rawExchange } from '../support/raw-exchange.js';

const server = await createTestServer({
  contents: 'search-parameters',
  partitions: ['acme', 'beta'],
  settings: { partitioning: ['url', 'header'] },
});
const root = new FhirClient(server.url);
const acme = root.tenant('acme');
test.after.always(() => server.stop());

/** Ends of strings, statements and comments of both databases; sleeps; catalogues; what JSON paths and LIKE know. */
const CORPUS = [
  `'`,
  `"`,
  '`',
  `\\`,
  `\\'`,
  `' or '1'='1`,
  `' or 1=1 --`,
  `" or ""="`,
  `') or ('1'='1`,
  `1; drop table HFJ_RESOURCE; --`,
  `'; delete from HFJ_RESOURCE; --`,
  `' union select * from HFJ_PARTITION --`,
  `' union all select null,null,null --`,
  `'||(select version())||'`,
  `' and pg_sleep(5) is null --`,
  `' and randomblob(1000000000) --`,
  `1) or PARTITION_ID is not null --`,
  `$1`,
  `?`,
  `??`,
  `:name`,
  `:partition`,
  `@p`,
  `{"$gt":""}`,
  `%' escape '!`,
  `/**/or/**/1=1`,
  `0x27206f722031`,
  `\u02bc or 1=1`,
  `\uff07 or 1=1`,
  `ROLLBACK;`,
  `set_config('app.tenant','2',false)`,
];

const OURS = 'of-acme';
const THEIRS = 'of-beta';

test.before(async () => {
  for (const [tenant, family] of [
    ['acme', OURS],
    ['beta', THEIRS],
  ] as const) {
    const one = { resourceType: 'Patient', id: 'one', name: [{ family }], identifier: [{ value: family }] };
    await root.tenant(tenant).put('Patient/one', one);
  }
});

const PLACES: readonly ((text: string) => string)[] = [
  ...[
    '_id',
    'family',
    'identifier',
    'birthdate',
    'organization',
    '_lastUpdated',
    '_tag',
    '_profile',
    '_source',
  ].map((name) => (text: string) => `Patient?${name}=${text}`),
  ...[
    'family:exact',
    'family:contains',
    'identifier:of-type',
    'identifier:not',
    'organization:identifier',
  ].map((name) => (text: string) => `Patient?${name}=${text}`),
  (text) => `Patient?family:${text}=x`,
  (text) => `Patient?${text}=x`,
  (text) => `Patient?identifier=${text}|${text}`,
  (text) => `Patient?_sort=${text}`,
  (text) => `Patient?_sort=-${text},family`,
  (text) => `Patient?_filter=family eq "${text}"`,
  (text) => `Patient?_filter=${text} eq x`,
  (text) => `Patient?_filter=${text}`,
  (text) => `Patient?_include=Patient:${text}`,
  (text) => `Patient?_revinclude=${text}:patient`,
  (text) => `Patient?_has:Observation:${text}:code=x`,
  (text) => `Patient?_has:Observation:patient:code=${text}`,
  (text) => `Patient?organization.name=${text}`,
  (text) => `Patient?organization.${text}=x`,
  (text) => `Patient?organization:${text}.name=x`,
  (text) => `Patient?_list=${text}`,
  (text) => `Patient?_type=${text}`,
  (text) => `Patient?_elements=${text}`,
  (text) => `Patient?_count=${text}`,
  (text) => `Patient?_summary=${text}`,
  (text) => `Patient?_total=${text}`,
  (text) => `Patient?_page=${text}`,
  (text) => `Patient/one/_history?_since=${text}`,
  (text) => `Patient/one/_history?_at=${text}`,
  (text) => `Observation?code-value-quantity=${text}$${text}`,
  (text) => `Observation?value-quantity=1|${text}|${text}`,
  (text) => `Observation?code:in=${text}`,
  (text) => `ValueSet/$expand?url=${text}&filter=${text}`,
  (text) => `?_type=${text}&_id=${text}`,
];

/** Encoded where a URL needs it, and nowhere else. */
function encoded(make: (text: string) => string, text: string): string {
  const [path = '', ...query] = make('\u0001').split('?');
  const put = (part: string): string => encodeURI(part).replaceAll('%01', encodeURIComponent(text));
  return [put(path), ...query.map(put)].join('?');
}

function assertHarmless(t: ExecutionContext, answer: Answer<unknown>, what: string): void {
  t.true(answer.status < 500, `${what}: ${answer.status} ${answer.text.slice(0, 200)}`);
  t.false(answer.text.includes(THEIRS), what);
  t.notRegex(answer.text, /HFJ_(?!R|PARTITION)|syntax error at|SQLITE_|no such column/, what);
}

for (const text of CORPUS) {
  test(`attack 96: ${text} is text in every parameter, modifier, sort key and filter`, async (t) => {
    for (const place of PLACES) {
      const path = encoded(place, text);
      const answer = await acme.get<Bundle>(path);
      assertHarmless(t, answer, path);
      const isOfNames = /^Patient\?(_id|family|identifier)(:exact|:contains)?=/.test(path);
      if (answer.status === 200 && isOfNames) t.is(answer.body.total, 0, path);
    }
  });
}

test('attack 96: SQL in headers, tenants, ids and conditions is text', async (t) => {
  for (const text of CORPUS.filter((one) => /^[\x20-\x7e]+$/.test(one))) {
    for (const header of [
      'x-tenant-id',
      'x-request-partition-ids',
      'if-match',
      'if-none-match',
      'if-none-exist',
      'prefer',
    ])
      assertHarmless(t, await root.get('acme/Patient/one', { [header]: text }), `${header}: ${text}`);
    const one = { resourceType: 'Patient' };
    const created = await acme.post('Patient', one, {
      'if-none-exist': `identifier=${encodeURIComponent(text)}`,
    });
    assertHarmless(t, created, text);
    const part = encodeURIComponent(text).replaceAll("'", '%27');
    for (const path of [
      `${part}/Patient`,
      `acme/Patient/${part}`,
      `acme/Patient/one/_history/${part}`,
      `acme/$${part}`,
    ])
      assertHarmless(t, await root.get(path), path);
    assertHarmless(t, await acme.delete(`Patient?identifier=${part}`), part);
    assertHarmless(t, await acme.put(`Patient?identifier=${part}`, one), part);
  }
  t.is((await acme.get<Bundle>(`Patient?family=${OURS}`)).body.total, 1);
  t.is((await root.tenant('beta').get<Bundle>(`Patient?family=${THEIRS}`)).body.total, 1);
});

test('attack 96: SQL in codes, expressions and URLs of SearchParameters is refused, or only text', async (t) => {
  for (const [index, text] of CORPUS.entries()) {
    for (const change of [
      { code: text },
      { expression: text },
      { expression: `Patient.name.where(use='${text}')` },
      { url: text },
    ]) {
      const parameter = {
        resourceType: 'SearchParameter',
        status: 'active',
        name: 'x',
        description: 'x',
        url: `urn:x:${index}`,
        code: `x${index}`,
        base: ['Patient'],
        type: 'string',
        expression: 'Patient.name.family',
        ...change,
      };
      const answer = await root.post<{ id: string }>('SearchParameter', parameter);
      assertHarmless(t, answer, JSON.stringify(change));
      if (answer.status !== 201) continue;
      assertHarmless(t, await acme.get(`Patient?${parameter.code}=${encodeURIComponent(text)}`), text);
      t.is((await root.delete(`SearchParameter/${answer.body.id}`)).status, 204);
    }
  }
});

test('attack 96: SQL in names of partitions is refused', async (t) => {
  for (const text of CORPUS.filter((one) => /[^\w-]/.test(one))) {
    const parameter = [{ name: 'name', valueCode: text }];
    const answer = await root.post('$partition-management-create-partition', {
      resourceType: 'Parameters',
      parameter,
    });
    t.true(answer.status >= 400 && answer.status < 500, `${text}: ${answer.status}`);
  }
});

const BREAKS = ['\r\nX-Evil: 1', '\nX-Evil: 1', '\rX-Evil: 1', '%0d%0aX-Evil:%201', '\u010d\u010aX-Evil: 1'];

test('attack 101: no line break of a client gets into Location, Link, Content-Disposition or any header', async (t) => {
  for (const text of BREAKS) {
    const part = encodeURIComponent(text);
    const answers = [
      await acme.get(`Patient?family=${part}`),
      await acme.put(`Patient/${part}`, { resourceType: 'Patient', id: text }),
      await root.put(`${part}/Patient/1`, { resourceType: 'Patient', id: '1' }),
      await acme.post('Binary', { resourceType: 'Binary', contentType: `text/plain${text}`, data: 'AAAA' }),
      await acme.get(`$export-file/1/${part}`),
      await acme.get(`Patient?_format=${part}`),
    ];
    const { id } = (answers[3]?.body ?? {}) as { readonly id?: string };
    if (answers[3]?.status === 201) answers.push(await acme.get(`Binary/${id ?? ''}`, { accept: '*/*' }));
    for (const { status, headers } of answers) {
      t.true(status < 500, `${JSON.stringify(text)} ${status}`);
      t.false(headers.has('x-evil'));
    }
  }
  const raw = await rawExchange(
    server.url,
    'GET /fhir/acme/Patient HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\nX-Evil: 1\r\nConnection: close\r\n\r\n',
    { end: true },
  );
  t.false(raw.headers.includes('x-evil'));
});

test('attack 99: no name of a file leads out of the folder of its export', async (t) => {
  for (const name of [
    '../x',
    '..',
    '.',
    '.hidden',
    'a/b',
    'a\\b',
    'a\0b',
    '',
    '/etc/passwd',
    'a'.repeat(201),
    '%2e%2e',
  ])
    t.throws(() => parseOutputKey(`p1/exports/job/${name}`), undefined, name);
  for (const key of ['p1/exports/../p2/exports/a', 'p1/exports/a/b/c', '/p1/exports/job/a', 'p1/../p2/job/a'])
    t.throws(() => parseOutputKey(key), undefined, key);
  const { pathname } = new URL(server.url);
  for (const path of [
    '../../etc/passwd',
    '..%2f..%2fetc%2fpasswd',
    '....//etc/passwd',
    '%2e%2e/%2e%2e/x',
    'C:%5cx',
  ]) {
    const answer = await rawExchange(
      server.url,
      `GET ${pathname}/acme/$export-file/1/${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    t.true(answer.status === 400 || answer.status === 404, `${path}: ${answer.status}`);
  }
});
