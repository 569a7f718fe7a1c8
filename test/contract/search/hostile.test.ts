import test from 'ava';
import { createTestServer } from '../../support/test-server.js';
import { rawExchange } from '../support/raw-exchange.js';
import { codeOf, FHIR_JSON, FhirClient, type Answer } from '../support/fhir-client.js';
import type { Bundle } from './pages.js';

const server = await createTestServer({ partitions: ['acme'] });
const acme = new FhirClient(server.url).tenant('acme');
const FORM = { 'content-type': 'application/x-www-form-urlencoded', accept: FHIR_JSON };
/** The best of several tries counts: other tests run beside. */
const QUICK_MS = 100;
const TRIES = 5;
const SOON_MS = 5000;

test.before(async () => {
  await acme.put('Organization/a', {
    resourceType: 'Organization',
    id: 'a',
    partOf: { reference: 'Organization/a' },
  });
  for (const family of ['plain', '100%', 'a_b', '(a+)+$', '*'])
    await acme.createPatient({ name: [{ family }], managingOrganization: { reference: 'Organization/a' } });
});
test.after.always(() => server.stop());

async function timed(
  ask: () => Promise<Answer<unknown>>,
): Promise<Answer<unknown> & { readonly ms: number }> {
  const begin = performance.now();
  const answer = await ask();
  return { ...answer, ms: performance.now() - begin };
}

type Query = readonly (readonly [name: string, value: string])[];

function encoded(parameters: Query): string {
  return parameters.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
}

/** `type` is empty for all types. */
function post(type: string, parameters: Query): Promise<Answer<unknown>> {
  return acme.post(`${type}${type && '/'}_search`, encoded(parameters), FORM);
}

function list(count: number, make: (n: number) => string = (n) => `v${n}`): string {
  return Array.from({ length: count }, (_, n) => make(n)).join();
}

function times(count: number, name: string, value: string): (readonly [string, string])[] {
  return Array.from({ length: count }, () => [name, value] as const);
}

const DEEP = 20;

const REFUSED: readonly [what: string, type: string, parameters: Query][] = [
  ['5,000 alternatives', 'Patient', [['family', list(5000)]]],
  ['5,000 tokens', 'Patient', [['identifier', list(5000, (n) => `urn:s${n}|${n}`)]]],
  ['5,000 ids', 'Patient', [['_id', list(5000)]]],
  ['5,000 dates', 'Patient', [['birthdate', list(5000, () => 'ge2020')]]],
  ['5,000 references', 'Patient', [['organization', list(5000, (n) => `Organization/${n}`)]]],
  ['100,000 commas', 'Patient', [['family', ','.repeat(100_000)]]],
  ['100 chained parameters', 'Patient', times(100, 'organization.partof.name', 'x')],
  ['10,000 parameters', 'Patient', times(10_000, 'family', 'x')],
  ['a chain of 20', 'Patient', [[`organization.${'partof.'.repeat(DEEP)}name`, 'x']]],
  ['a _has of 20', 'Organization', [[`${'_has:Organization:partof:'.repeat(DEEP)}name`, 'x']]],
  [
    'a chain and _has of 20',
    'Organization',
    [[`${'partof._has:Organization:partof:'.repeat(DEEP)}name`, 'x']],
  ],
  ['5,000 Lists', 'Patient', [['_list', list(5000)]]],
  ['5,000 value sets', 'Observation', [['code:in', list(5000, (n) => `http://x/${n}`)]]],
  ['2,500 composites of two', 'Observation', [['code-value-quantity', list(2500, (n) => `c${n}$gt${n}`)]]],
  ['5,000 tags of all types', '', [['_tag', list(5000)]]],
  ['5,000 words to look for', 'Patient', [['family:text', list(5000)]]],
  [
    '1,000 tests of a filter',
    'Patient',
    [['_filter', Array.from({ length: 1000 }, () => 'family eq x').join(' or ')]],
  ],
  ['40 brackets of a filter', 'Patient', [['_filter', `${'not ('.repeat(40)}family eq x${')'.repeat(40)}`]]],
  ['a path of 20 in a filter', 'Organization', [['_filter', `${'partof.'.repeat(DEEP)}name eq x`]]],
  ['100 _has', 'Organization', times(100, '_has:Patient:organization:family', 'x')],
  ['100 includes', 'Patient', times(100, '_include', 'Patient:organization')],
  ['100 keys to sort by', 'Patient', [['_sort', list(100, () => 'family')]]],
];

for (const [what, type, parameters] of REFUSED) {
  test.serial(`attack 36: ${what} are refused at once, with the limit`, async (t) => {
    const answers = [];
    for (let n = 0; n < TRIES; n++) answers.push(await timed(() => post(type, parameters)));
    const [best] = answers.toSorted((a, b) => a.ms - b.ms) as [(typeof answers)[0]];
    const { status, ms, text, ...answer } = best;
    t.is(status, 400, text.slice(0, 300));
    t.is(codeOf({ status, text, ...answer }), 'LIMIT_EXCEEDED', text.slice(0, 300));
    t.true(ms < QUICK_MS, `${ms} ms`);
    t.true(text.length < 2000, 'a refusal does not repeat what it refuses');
  });
}

const MEGABYTE = 2 ** 20;
const CHAINED = 12;

/** Whatever the answer, it comes soon, and it is no failure of the server's. */
const STRANGE: readonly [what: string, type: string, parameters: Query][] = [
  ['a value of 1 MB', 'Patient', [['family', 'x'.repeat(MEGABYTE)]]],
  ['a :contains value of 1 MB', 'Patient', [['family:contains', 'ab'.repeat(MEGABYTE / 2)]]],
  ['an :exact value of 1 MB', 'Patient', [['family:exact', 'é'.repeat(MEGABYTE / 2)]]],
  ['a token of 1 MB', 'Patient', [['identifier', 'x'.repeat(MEGABYTE)]]],
  ['a system of 1 MB', 'Patient', [['identifier', `${'x'.repeat(MEGABYTE)}|1`]]],
  ['a URI of 1 MB', 'Measure', [['url', `http://${'x/'.repeat(MEGABYTE / 2)}`]]],
  ['a URI of 1 MB to look above', 'Measure', [['url:above', `http://${'x/'.repeat(MEGABYTE / 2)}`]]],
  ['a reference of 1 MB', 'Patient', [['organization', `http://${'x/'.repeat(MEGABYTE / 2)}`]]],
  ['an id of 1 MB', 'Patient', [['_id', 'x'.repeat(MEGABYTE)]]],
  ['a number of 1 MB', 'RiskAssessment', [['probability', '9'.repeat(MEGABYTE)]]],
  ['a date of 1 MB', 'Patient', [['birthdate', `2020${'-01'.repeat(MEGABYTE / 3)}`]]],
  ['1 MB of backslashes', 'Patient', [['family', '\\'.repeat(MEGABYTE)]]],
  ['1 MB of pipes', 'Patient', [['identifier', '|'.repeat(MEGABYTE)]]],
  ['1 MB of dollar signs', 'Observation', [['code-value-quantity', '$'.repeat(MEGABYTE)]]],
  ['a name of 1 MB', 'Patient', [['x'.repeat(MEGABYTE), 'x']]],
  ['a name of 1 MB of dots', 'Patient', [['.'.repeat(MEGABYTE), 'x']]],
  ['a name of 1 MB of colons', 'Patient', [[':'.repeat(MEGABYTE), 'x']]],
  ['a _has of 1 MB', 'Patient', [['_has:'.repeat(MEGABYTE / 5), 'x']]],
  ['a filter of 1 MB', 'Patient', [['_filter', '('.repeat(MEGABYTE)]]],
  ['a text of 1 MB', 'Patient', [['_text', '"a" OR '.repeat(MEGABYTE / 7)]]],
  ['a NUL byte in a string', 'Patient', [['family', 'a\0b']]],
  ['a NUL byte in a token', 'Patient', [['identifier', 'urn:\0|\0']]],
  ['a NUL byte in an id', 'Patient', [['_id', '\0']]],
  ['a NUL byte in a URI', 'Measure', [['url', 'urn:\0']]],
  ['a NUL byte in a reference', 'Patient', [['organization', 'urn:\0']]],
  ['a NUL byte in a unit', 'Observation', [['value-quantity', '1||\0']]],
  ['a NUL byte in a name', 'Patient', [['fam%00ily', 'x']]],
  ['a number beyond all numbers', 'RiskAssessment', [['probability', '1e999']]],
  ['a number that is nearly nothing', 'RiskAssessment', [['probability', '1e-999']]],
  ['a number of 40 digits', 'RiskAssessment', [['probability', `0.${'3'.repeat(37)}`]]],
  ['a day that does not exist', 'Patient', [['birthdate', '2020-02-31']]],
  ['the last of all years', 'Patient', [['birthdate', 'ap9999-12-31T23:59:60Z']]],
  ['a page that never was', 'Patient', [['_page', 'x'.repeat(MEGABYTE)]]],
  ['most words that a text may have', 'Patient', [['family:text', 'a '.repeat(100_000)]]],
  ['elements without number', 'Patient', [['_elements', list(20_000)]]],
  ['one type, again and again', '', [['_type', list(20_000, () => 'Patient')]]],
  ['all types, as often as is allowed', '', times(40, '_lastUpdated', 'gt2000')],
  ['a count beyond all pages', 'Patient', [['_count', '999999999']]],
  ['a count beyond all numbers', 'Patient', [['_count', '9'.repeat(1000)]]],
  [
    'names of JavaScript',
    'Patient',
    [
      ['__proto__', 'x'],
      ['constructor:exact', 'x'],
    ],
  ],
  [
    'a type of JavaScript',
    'Patient',
    [
      ['_has:constructor:patient:code', 'x'],
      ['organization:__proto__.name', 'x'],
    ],
  ],
  [
    'long chains as often as is allowed',
    'Patient',
    times(CHAINED, 'organization.partof.partof.name:contains', 'zz'),
  ],
  [
    'includes that never end',
    'Patient',
    [
      ['_include', 'Patient:organization'],
      ['_include:iterate', 'Organization:partof'],
      ['_revinclude:iterate', 'Organization:partof'],
      ['_revinclude:iterate', 'Patient:organization'],
    ],
  ],
];

for (const [what, type, parameters] of STRANGE) {
  test.serial(`${what}: answered soon, and not as a failure of the server`, async (t) => {
    const { status, ms, text } = await timed(() => post(type, parameters));
    t.true([200, 400, 404, 413, 414].includes(status), `${status}: ${text.slice(0, 300)}`);
    t.true(ms < SOON_MS, `${ms} ms`);
    if (status !== 200) t.true(text.length < 4000, 'a refusal does not repeat what it refuses');
  });
}

/** A server need not read to its end what is too long; the connection may be gone before the answer is read. */
async function getStatus(type: string, parameters: Query): Promise<number> {
  try {
    return (await acme.get(`${type}?${encoded(parameters)}`)).status;
  } catch {
    return 431;
  }
}

test.serial('the same in URLs: refused, too long, or answered soon', async (t) => {
  for (const [what, type, parameters] of REFUSED)
    t.true([400, 414, 431].includes(await getStatus(type, parameters)), what);
  for (const [what, type, parameters] of STRANGE) {
    const begin = performance.now();
    const status = await getStatus(type, parameters);
    t.true([200, 400, 404, 414, 431].includes(status), `${what}: ${status}`);
    t.true(performance.now() - begin < SOON_MS, what);
  }
  t.is((await acme.get('Patient?family=plain')).status, 200);
});

test('signs that mean something to LIKE, GLOB and regular expressions mean themselves', async (t) => {
  for (const [asked, families] of [
    ['%', []],
    ['100%', ['100%']],
    ['a_', ['a_b']],
    ['_', []],
    ['*', ['*']],
    ['(a+)+$', ['(a+)+$']],
    ['[a-z]', []],
    ['.', []],
  ] as const) {
    const { body } = await acme.get<Bundle>(`Patient?family=${encodeURIComponent(asked)}`);
    const found = (body.entry ?? []).map(
      ({ resource }) => resource?.resourceType === 'Patient' && resource.name?.[0]?.family,
    );
    t.deepEqual(found, families, asked);
  }
  const { body } = await acme.get<Bundle>('Patient?family:contains=%25');
  t.is(body.total, 1);
});

test('broken escapes, lone surrogates and bytes that are no UTF-8 are no failure of the server', async (t) => {
  const { pathname, host } = new URL(acme.base);
  for (const value of ['%', '%zz', '%ED%A0%80', '%C0%80', '%FF%FE', '%F0%9F%98', '%EF%BF%BF', '%00'])
    for (const name of ['family', 'identifier', '_id', 'organization', '_lastUpdated', value]) {
      const request = `GET ${pathname}/Patient?${name}=${value} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      const { status, body } = await rawExchange(acme.base, request);
      t.true(status === 200 || status === 400, `${name}=${value} answered ${status}: ${body.slice(0, 200)}`);
    }
});

test('a count beyond the maximum is served as the maximum', async (t) => {
  const { body } = await acme.get<Bundle>('Patient?_count=999999999');
  t.is(body.total, 5);
});
