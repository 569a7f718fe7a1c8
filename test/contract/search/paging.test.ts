import test from 'ava';
import type { Patient } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { linkOf, matchesOf, namesOf, pagesOf, type Bundle } from './pages.js';

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
const acme = client.tenant('acme');
test.after.always(() => server.stop());

/** Patients `<label>0`, `<label>1`, … with the label as their family name. */
async function store(label: string, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, n) => `Patient/${label}${n}`);
  for (const name of names) await acme.put(name, patient(name.slice('Patient/'.length), label));
  return names;
}

function patient(id: string, family: string): Patient {
  return { resourceType: 'Patient', id, name: [{ family }], gender: 'other' };
}

for (const [n, order] of ['', '&_sort=family', '&_sort=-_lastUpdated', '&_sort=gender,-_id'].entries()) {
  test(`pages add up while others write: every match once, in the order of "${order}"`, async (t) => {
    const label = `busy${n}x`;
    const expected = await store(label, 12);
    const seen: string[] = [];
    let next: string | undefined = `Patient?family=${label}&_count=3${order}`;
    for (let page = 0; next !== undefined; page++) {
      const { body } = await acme.get<Bundle>(next);
      seen.push(...namesOf(matchesOf([body])));
      next = linkOf(body, 'next');
      await acme.put(`Patient/new${label}${page}`, patient(`new${label}${page}`, 'Somebody Else'));
      await acme.delete(`Patient/new${label}${page - 1}`);
    }
    t.deepEqual(seen.toSorted(), expected.toSorted());
  });
}

test('a match that is deleted behind a page leaves the others where they are', async (t) => {
  const names = await store('gone', 6);
  const first = await acme.get<Bundle>('Patient?family=gone&_count=2&_sort=_id');
  await acme.delete('Patient/gone0');
  await acme.delete('Patient/gone3');
  const rest = await pagesOf(acme, linkOf(first.body, 'next') ?? '');
  t.deepEqual(namesOf(matchesOf(rest)), ['Patient/gone2', 'Patient/gone4', 'Patient/gone5']);
  t.deepEqual(namesOf(matchesOf([first.body])), names.slice(0, 2));
});

test('the last page has no next link, and its self link finds it again', async (t) => {
  await store('last', 5);
  const pages = await pagesOf(acme, 'Patient?family=last&_count=2');
  t.deepEqual(
    pages.map(({ entry }) => entry?.length),
    [2, 2, 1],
  );
  const self = linkOf(pages[2] as Bundle, 'self') ?? '';
  t.deepEqual((await acme.get<Bundle>(self)).body.entry, pages[2]?.entry);
});

test('a page that is just full is the last one', async (t) => {
  await store('full', 4);
  t.is((await pagesOf(acme, 'Patient?family=full&_count=4')).length, 1);
});

test('a page link is good for its own tenant alone, and only as it was made', async (t) => {
  await store('link', 3);
  const { body } = await acme.get<Bundle>('Patient?family=link&_count=1');
  const next = linkOf(body, 'next') ?? '';
  t.is((await client.get(next.replace('/acme?', '/beta?'))).status, 404);
  const token = new URL(next).searchParams.get('_page') ?? '';
  const altered = (token.startsWith('A') ? 'B' : 'A') + token.slice(1);
  t.is((await client.get(next.replace(token, altered))).status, 400);
});

test('totals are exact on every page, left out on request, and counted without resources', async (t) => {
  await store('sum', 5);
  const pages = await pagesOf(acme, 'Patient?family=sum&_count=2&_total=accurate');
  t.deepEqual(
    pages.map(({ total }) => total),
    [5, 5, 5],
  );
  const none = await acme.get<Bundle>('Patient?family=sum&_count=2&_total=none');
  t.is(none.body.total, undefined);
  for (const only of ['_summary=count', '_count=0']) {
    const { body } = await acme.get<Bundle>(`Patient?family=sum&${only}`);
    t.is(body.total, 5, only);
    t.is(body.entry, undefined, only);
  }
});

test('a count that is no whole number from 0, and an unknown total, are 400', async (t) => {
  for (const wrong of ['_count=-1', '_count=x', '_count=1.5', '_total=some'])
    assertError(t, await acme.get(`Patient?${wrong}`), 400, 'INVALID_SEARCH');
});

test('pages are written as the first one, and each as its link says', async (t) => {
  await store('written', 4);
  for (const place of ['Patient?family=written&', 'Patient/_history?']) {
    const asked = `${place}_count=1&_pretty=true&_format=application/json`;
    const [first, second, third] = await pagesOf(acme, asked);
    for (const page of [first, second, third]) {
      const self = linkOf(page!, 'self') ?? '';
      t.regex(self, /_pretty=true/, place);
      t.true((await acme.get(self)).text.includes('\n  '), self);
    }
    t.is(linkOf(second!, 'self'), linkOf(first!, 'next'), place);
    const next = linkOf(first!, 'next') ?? '';
    const xml = await acme.get(
      next.replace('_format=application/json', '_format=xml').replace('&_pretty=true', ''),
    );
    t.regex(xml.text, /^<\?xml/);
    t.false(xml.text.includes('\n  '));
    t.regex(/relation value="next"\/><url value="([^"]*)/.exec(xml.text)?.[1] ?? '', /_format=xml$/, place);
  }
});
