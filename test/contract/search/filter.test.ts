import test from 'ava';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { FILTERS } from './filter-cases.js';
import { find, loadFilterWorld, query } from './filter-world.js';
import { matchesOf, pagesOf, type Bundle } from './pages.js';

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
const acme = client.tenant('acme');
const beta = client.tenant('beta');
test.after.always(() => server.stop());
test.before(() => loadFilterWorld(client));

const ABSOLUTE: readonly [type: string, filter: string, ids: string] = [
  'Patient',
  `organization re ${acme.base}/Organization/office`,
  'petra',
];

for (const [type, filter, ids] of [...FILTERS, ABSOLUTE]) {
  test(`${type} with ${filter} is ${ids === '' ? 'nothing' : ids}`, async (t) => {
    t.is(await find(acme, type, filter), ids);
  });
}

test('a filter holds beside other parameters, other filters, and an order', async (t) => {
  t.is(await find(acme, 'Patient', 'name co pet', '&gender=male,female'), 'peter,petra');
  t.is(
    await find(acme, 'Patient', 'name co pet', `&_filter=${encodeURIComponent('gender ne male')}`),
    'petra',
  );
  const { body } = await acme.get<Bundle>(
    query('Patient', 'birthdate pr true', '&_sort=-birthdate&_total=accurate'),
  );
  t.deepEqual(
    matchesOf([body]).map(({ id }) => id),
    ['petra', 'peter', 'sam'],
  );
  t.is(body.total, 3);
});

test('the pages of a filter hold each match once', async (t) => {
  const pages = await pagesOf(acme, query('Patient', 'name co pet or birthdate pr false', '&_count=1'));
  t.deepEqual(
    matchesOf(pages)
      .map(({ id }) => id)
      .toSorted(),
    ['nobody', 'peter', 'petra', 'sam'],
  );
});

test('a filter sees one tenant, behind references and in what it denies', async (t) => {
  t.is(await find(beta, 'Patient', 'organization.name sw clinic'), '');
  t.is(await find(beta, 'Patient', 'organization.name sw elsewhere'), 'peter');
  t.is(await find(beta, 'Patient', 'not (given eq peter)'), 'peter');
  t.is(await find(beta, 'Patient', 'given ne peter or birthdate pr false'), 'peter');
  t.is(await find(acme, 'Patient', 'given eq foreign'), '');
  t.is(
    await find(client.tenant('_ALL'), 'Patient', 'organization.name sw elsewhere or gender eq female'),
    'peter,petra',
  );
});

test('a filter is posted too, and counts for a conditional create', async (t) => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const body = `_filter=${encodeURIComponent('given eq "peter"')}`;
  const posted = await acme.post<Bundle>('Patient/_search', body, form);
  t.deepEqual(
    matchesOf([posted.body]).map(({ id }) => id),
    ['peter'],
  );
  const created = await acme.post('Patient', { resourceType: 'Patient' }, { 'if-none-exist': body });
  t.is(created.status, 200);
});

test('what a filter can not mean is 400 and says where', async (t) => {
  const malformed = await acme.get(query('Patient', 'name co "pet" and (gender eq male'));
  assertError(t, malformed, 400, 'INVALID_SEARCH');
  t.regex(malformed.text, /_filter, character 34/);
  const unknown = await acme.get(query('Observation', 'code in http://acme.example/none'));
  assertError(t, unknown, 400, 'INVALID_SEARCH');
  t.regex(unknown.text, /_filter, character 1/);
});

test('a filter holds for each of several types, and within a compartment', async (t) => {
  const several = `?_type=Patient,Organization&_filter=${encodeURIComponent('name co clinic or not (name pr true)')}`;
  const { body } = await acme.get<Bundle>(several);
  t.deepEqual(
    matchesOf([body])
      .map(({ id }) => id)
      .toSorted(),
    ['clinic', 'nobody'],
  );
  const unknown = await acme.get(
    `?_type=Patient,Organization&_filter=${encodeURIComponent('gender eq male')}`,
  );
  assertError(t, unknown, 400, 'UNKNOWN_SEARCH_PARAMETER');
  t.is(await find(acme, 'Patient/peter/Observation', 'code pr true'), 'head');
  t.is(await find(acme, 'Patient/peter/Observation', `code eq pain`), '');
});

test('filters as large as they may be are answered', async (t) => {
  const many = Array.from({ length: 190 }, (_, n) => `given eq ${n === 189 ? 'max' : n}`).join(' or ');
  t.is(await find(acme, 'Patient', many), 'peter');
  t.is(await find(acme, 'Patient', `not (${many})`), 'nobody,petra,sam');
  const deep = `${'not ('.repeat(28)}given eq max${')'.repeat(28)}`;
  t.is(await find(acme, 'Patient', deep), 'peter');
  const changing = `given eq max${' or family ew z and gender ne female'.repeat(14)}`;
  t.is(await find(acme, 'Patient', changing), 'peter');
  const linked = Array.from({ length: 60 }, (_, n) => `subject.given eq ${n === 59 ? 'max' : n}`).join(
    ' or ',
  );
  t.is(await find(acme, 'Observation', linked.replaceAll('subject', 'subject:Patient')), 'head');
});
