import test from 'ava';
import type { Bundle, CapabilityStatement, Parameters } from 'fhir/r4.js';
import { assertError } from '../support/fhir-client.js';
import {
  assertNothingOf,
  assertOnly,
  FOREIGN_ID,
  idsOf,
  linkOf,
  openSeededWorld,
  store,
  wholeHistory,
  type World,
} from './fixtures.js';

let world: World;

test.before(async () => {
  world = await openSeededWorld();
});

test.after.always(() => world.server.stop());

/** Searches whose values both tenants hold, by what they search with. Each finds exactly one resource. */
const SEARCHES: Readonly<Record<string, string>> = {
  nothing: 'Patient',
  _id: 'Patient?_id=p1',
  _lastUpdated: 'Patient?_lastUpdated=gt2000-01-01',
  _tag: 'Patient?_tag=urn:tag|same',
  _profile: 'Patient?_profile=http://example.org/profile',
  _security: 'Patient?_security=urn:security|same',
  _source: 'Patient?_source=urn:source',
  'a token': 'Patient?identifier=urn:mrn|1',
  'a code': 'Patient?gender=female',
  'a negated code': 'Patient?gender:not=male',
  'a boolean': 'Patient?active=true',
  'a string': 'Patient?family=oka',
  'an exact string': 'Patient?family:exact=Okafor',
  'a contained string': 'Patient?family:contains=kaf',
  'a missing value': 'Patient?address:missing=true',
  'a present value': 'Patient?family:missing=false',
  'a date': 'Patient?birthdate=1980-04-05',
  'a date range': 'Observation?date=ge2024-01-01&date=lt2025-01-01',
  'a number': 'RiskAssessment?probability=gt0.4',
  'a quantity': 'Observation?value-quantity=70||kg',
  'a quantity in another unit': 'Observation?value-quantity=70000|http://unitsofmeasure.org|g',
  'a uri': 'PlanDefinition?url=http://example.org/plan',
  'a reference': 'Observation?subject=Patient/p1',
  'a typed reference': 'Observation?subject:Patient=p1',
  'a chained name': 'Observation?patient.name=okafor',
  'a chained identifier': 'Observation?subject:Patient.identifier=urn:mrn|1',
  'a chained organization': 'Patient?organization.name=clinic',
  'several sort keys': 'Patient?_sort=family,-_lastUpdated,_id',
  'an accurate total': 'Patient?_total=accurate',
  'an estimated total': 'Patient?_total=estimate',
};

for (const [what, search] of Object.entries(SEARCHES)) {
  test(`a search by ${what} finds the tenant's own only`, async (t) => {
    const answer = await world.acme.client.get<Bundle>(search);
    t.is(answer.status, 200, answer.text);
    t.is(answer.body.entry?.length, 1, answer.text);
    t.is(answer.body.total, 1);
    assertOnly(t, answer, world);
    const [type = '', query = ''] = search.split('?');
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const posted = await world.acme.client.post<Bundle>(`${type}/_search`, query, form);
    t.deepEqual(idsOf(posted), idsOf(answer));
    assertOnly(t, posted, world);
  });
}

test('a count is of the own partition', async (t) => {
  t.is(await world.acme.client.count('Patient'), 1);
  t.is(await world.beta.client.count('Patient'), 2);
  t.is(await world.root.count('Patient'), 0);
});

test('an include and a revinclude bring the own resources', async (t) => {
  const included = await world.acme.client.get<Bundle>('Observation?_include=Observation:subject');
  t.deepEqual(idsOf(included), ['Observation/b1', 'Patient/p1']);
  assertOnly(t, included, world);
  const turned = await world.acme.client.get<Bundle>(
    'Patient?_revinclude=Observation:subject&_revinclude=RiskAssessment:subject&_include=Patient:organization',
  );
  t.deepEqual(idsOf(turned).toSorted(), [
    'Observation/b1',
    'Organization/o1',
    'Patient/p1',
    'RiskAssessment/r1',
  ]);
  assertOnly(t, turned, world);
});

test('reads and histories show the own content', async (t) => {
  const paths = [
    'Patient/p1',
    'Patient/p1/_history',
    'Patient/p1/_history/1',
    'Patient/_history',
    '_history',
  ];
  for (const path of paths) {
    const answer = await world.acme.client.get<Bundle>(path);
    t.is(answer.status, 200);
    assertOnly(t, answer, world);
  }
});

test('labels in use are those of the own partition', async (t) => {
  for (const path of ['Patient/p1/$meta', 'Patient/$meta', '$meta']) {
    const answer = await world.acme.client.get<Parameters>(path);
    t.is(answer.status, 200);
    assertOnly(t, answer, world);
    const { tag, profile, security } = answer.body.parameter?.[0]?.valueMeta ?? {};
    t.deepEqual([tag?.length, profile?.length, security?.length], [2, 2, 2], path);
  }
});

test('everything that is printed carries the tenant of the request', async (t) => {
  const { acme } = world;
  const { client } = acme;
  const bundle = await client.get<Bundle>('Patient?_count=1');
  t.true(linkOf(bundle, 'self')?.startsWith(`${client.base}/Patient`));
  t.is(bundle.body.entry?.[0]?.fullUrl, `${client.base}/Patient/p1`);
  const created = await client.post('Basic', { resourceType: 'Basic', code: { text: acme.canary } });
  t.true(created.headers.get('location')?.startsWith(`${client.base}/Basic/`));
  const statement = await client.get<CapabilityStatement>('metadata');
  t.is(statement.body.implementation?.url, client.base);
  assertNothingOf(t, statement, world.beta);
});

test('a page link works under its tenant only, and only as it was given', async (t) => {
  const { acme, beta, root } = world;
  const extra = ['x1', 'x2', 'x3'].map((id) => ({
    resourceType: 'Group' as const,
    id,
    type: 'person' as const,
    actual: false,
  }));
  for (const tenant of [acme, beta]) await store(tenant, ...extra);
  for (const path of ['Group?_count=1', 'Group/_history?_count=1']) {
    const next = linkOf(await acme.client.get<Bundle>(path), 'next') ?? '';
    t.true(next.startsWith(`${acme.client.base}?`), next);
    const own = await root.get<Bundle>(next);
    t.is(own.status, 200);
    t.is(own.body.entry?.length, 1);
    assertNothingOf(t, own, beta);
    const token = next.slice(acme.client.base.length);
    assertError(t, await beta.client.get(`${beta.client.base}${token}`), 404, 'UNKNOWN_PAGE_LINK');
    assertError(t, await root.get(`${root.base}${token}`), 404, 'UNKNOWN_PAGE_LINK');
    assertError(t, await root.get(`${root.base}/_ALL${token}`), 404, 'UNKNOWN_PAGE_LINK');
    for (const place of [7, Math.floor(token.length / 2), token.length - 1]) {
      const other = token[place] === 'A' ? 'B' : 'A';
      const altered = `${token.slice(0, place)}${other}${token.slice(place + 1)}`;
      assertError(t, await root.get(`${acme.client.base}${altered}`), 400, 'INVALID_PAGE_LINK');
    }
    assertError(t, await root.get(`${acme.client.base}${token.slice(0, -4)}`), 400, 'INVALID_PAGE_LINK');
  }
});

test('a page link tells nothing of how much others have written', async (t) => {
  const { acme } = world;
  await store(acme, { resourceType: 'Group', id: 'x4', type: 'person', actual: false });
  await store(acme, { resourceType: 'Group', id: 'x5', type: 'person', actual: false });
  const next = linkOf(await acme.client.get<Bundle>('Group?_count=1'), 'next') ?? '';
  const token = new URL(next).searchParams.get('_page') ?? '';
  t.false(/partition|rowId|after/.test(Buffer.from(token, 'base64url').toString('latin1')));
});

test.serial('writes to an id that both hold change the own resource only', async (t) => {
  const fresh = await openSeededWorld();
  t.teardown(() => fresh.server.stop());
  const { acme, beta } = fresh;
  const before = await wholeHistory(beta);
  const patch = [{ op: 'replace', path: '/birthDate', value: '1981-01-01' }];
  const headers = { 'content-type': 'application/json-patch+json' };
  const patched = await acme.client.send('PATCH', 'Patient/p1', { body: JSON.stringify(patch), headers });
  t.is(patched.status, 200);
  const body = { resourceType: 'Patient', id: 'p1', identifier: [{ system: 'urn:mrn', value: '1' }] };
  t.is((await acme.client.put('Patient?identifier=urn:mrn|1', body)).status, 200);
  t.is((await acme.client.put('Patient/p1', body, { 'if-match': 'W/"3"' })).status, 200);
  t.is((await acme.client.delete('Observation?subject=Patient/p1')).status, 204);
  t.is((await acme.client.delete('RiskAssessment/r1')).status, 204);
  t.is((await acme.client.delete('Patient/p1')).status, 204);
  t.is((await acme.client.get('Patient/p1')).status, 410);
  t.is(await wholeHistory(beta), before);
});

test("a neighbour's reference blocks no delete", async (t) => {
  const { acme, beta } = world;
  await store(acme, { resourceType: 'Location', id: 'l1' });
  await store(beta, { resourceType: 'Location', id: 'l1' });
  await store(beta, {
    resourceType: 'Encounter',
    id: 'e1',
    status: 'planned',
    class: { code: 'AMB' },
    location: [{ location: { reference: 'Location/l1' } }],
  });
  const refused = await beta.client.delete('Location/l1');
  assertError(t, refused, 409, 'DELETE_CONFLICT');
  t.is((await acme.client.delete('Location/l1')).status, 204);
  t.is((await beta.client.get('Location/l1')).status, 200);
});

test('64 equal conditional creates at once make one resource in each tenant', async (t) => {
  const { acme, beta } = world;
  const body = {
    resourceType: 'Basic',
    code: { text: 'once' },
    identifier: [{ system: 'urn:once', value: '1' }],
  };
  const headers = { 'if-none-exist': 'identifier=urn:once|1' };
  const statuses = await Promise.all(
    Array.from({ length: 64 }, (_, index) =>
      (index % 2 === 0 ? acme : beta).client.post('Basic', body, headers),
    ),
  );
  t.is(statuses.filter(({ status }) => status === 201).length, 2);
  t.is(statuses.filter(({ status }) => status === 200).length, 62);
  t.is(await acme.client.count('Basic?identifier=urn:once|1'), 1);
  t.is(await beta.client.count('Basic?identifier=urn:once|1'), 1);
});

test('what a conditional header says depends on the own version', async (t) => {
  const { acme, beta } = world;
  for (const tenant of [acme, beta]) await store(tenant, { resourceType: 'Device', id: 'v1' });
  await store(beta, { resourceType: 'Device', id: 'v1', lotNumber: '2' });
  const second = { 'if-none-match': 'W/"2"' };
  t.is((await acme.client.get('Device/v1', second)).status, 200);
  t.is((await beta.client.get('Device/v1', second)).status, 304);
  const update = { resourceType: 'Device', id: 'v1', lotNumber: '3' };
  assertError(
    t,
    await acme.client.put('Device/v1', update, { 'if-match': 'W/"2"' }),
    412,
    'VERSION_MISMATCH',
  );
});

test('the tenant in a label moves nothing', async (t) => {
  const { acme, beta } = world;
  const meta = {
    tag: [{ system: 'urn:tenant', code: 'beta' }],
    security: [{ system: 'urn:tenant', code: 'beta' }],
  };
  await store(acme, {
    resourceType: 'Flag',
    id: 'f1',
    status: 'active',
    code: { text: 'x' },
    subject: { reference: 'Patient/p1' },
    meta,
  });
  t.is((await acme.client.get('Flag/f1')).status, 200);
  t.is((await beta.client.get('Flag/f1')).status, 404);
});

test('the root is DEFAULT, which sees no tenant', async (t) => {
  const { root, acme, beta } = world;
  for (const client of [root, root.tenant('DEFAULT')]) {
    assertError(t, await client.get('Patient/p1'), 404, 'NOT_FOUND');
    const history = await client.get<Bundle>('_history');
    t.is(history.body.total, 0);
    assertNothingOf(t, history, acme);
    assertNothingOf(t, history, beta);
    assertError(t, await client.get(`Patient/${FOREIGN_ID}`), 404, 'NOT_FOUND');
  }
});

test('no answer may be kept by a cache that others use', async (t) => {
  const { headers } = await world.acme.client.get('Patient/p1');
  t.regex(headers.get('cache-control') ?? '', /private/);
  t.regex(headers.get('vary') ?? '', /Authorization.*X-Tenant-ID/);
});
