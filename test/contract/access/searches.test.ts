import test from 'ava';
import type { Bundle, Parameters } from 'fhir/r4.js';
import { assertError } from '../support/fhir-client.js';
import { idsOf, linkOf } from '../isolation/fixtures.js';
import { as, LAB, openAccessWorld } from './fixtures.js';

const { server, acme } = await openAccessWorld();
test.after.always(() => server.stop());

const patient = { patient: 'p1' };
const reader = as(acme, 'patient/*.rs', patient);
const FORBIDDEN = [403, 'FORBIDDEN'] as const;

test('a chain through what the token does not open finds nothing', async (t) => {
  const everybody = as(acme, 'system/Observation.rs patient/Patient.rs', patient);
  t.is(await everybody.count('Observation?subject:Patient.name=Mine'), 2);
  t.is(await everybody.count('Observation?subject:Patient.name=Theirs'), 0);
  t.is(await everybody.count('Observation?_filter=subject.name eq "Theirs"'), 0);
  t.is(await everybody.count('Observation?_filter=subject.name eq "Mine"'), 2);
});

test('a chain through a type that may not be searched is refused', async (t) => {
  const narrow = as(acme, 'system/Observation.rs');
  for (const search of [
    'Observation?subject.name=Theirs',
    'Observation?subject:Patient.name=Theirs',
    'Observation?_has:Observation:derived-from:subject.name=Theirs',
    'Observation?_has:Condition:evidence-detail:code=x',
    'Observation?_filter=subject.name eq "Theirs"',
    'Observation?_list=list-p1',
    'Observation?_has:Observation:derived-from:performer.name=x',
    'Observation?_contained=true&subject:Patient.name=x',
    'Observation?_contained=true&_containedType=contained&subject:Patient.name=x',
  ])
    assertError(t, await narrow.get(search), ...FORBIDDEN);
  assertError(t, await narrow.post('Observation/_search?subject.name=Theirs', undefined), ...FORBIDDEN);
});

test('_has goes by what the token opens', async (t) => {
  const patients = as(acme, `system/Patient.rs system/Observation.rs?category=${LAB}`);
  t.is(await patients.count('Patient?_has:Observation:subject:category=laboratory'), 2);
  t.is(await patients.count('Patient?_has:Observation:subject:category=vital-signs'), 0);
});

test('a list leads to what it holds only where it may be seen itself', async (t) => {
  const lists = as(acme, 'system/Patient.rs patient/List.rs', patient);
  t.is(await lists.count('Patient?_list=list-p1'), 1);
  t.is(await lists.count('Patient?_list=list-p2'), 0);
});

test('includes bring what may be read, and nothing else', async (t) => {
  const some = as(acme, 'system/Observation.rs patient/Patient.r', patient);
  const included = await some.get<Bundle>('Observation?_include=Observation:subject&_sort=_id');
  t.deepEqual(
    included.body.entry
      ?.filter(({ search }) => search?.mode === 'include')
      .map(({ resource }) => resource?.id),
    ['p1'],
  );
  const none = await as(acme, 'system/Observation.rs').get<Bundle>('Observation?_include=*');
  t.true(idsOf(none).every((id) => id.startsWith('Observation/')));
});

test('reverse includes bring what may be searched', async (t) => {
  const labs = as(acme, `system/Patient.rs system/Observation.s?category=${LAB}`);
  const answer = await labs.get<Bundle>(
    'Patient?_id=p2&_revinclude=Observation:subject&_revinclude=Condition:subject',
  );
  t.deepEqual(idsOf(answer).toSorted(), ['Observation/lab-p2', 'Patient/p2']);
  const reading = as(acme, 'system/Patient.rs system/Observation.r');
  t.deepEqual(idsOf(await reading.get<Bundle>('Patient?_id=p2&_revinclude=Observation:subject')), [
    'Patient/p2',
  ]);
});

test('includes that go on end at what is not opened', async (t) => {
  const answer = await reader.get<Bundle>(
    'Patient?_revinclude:iterate=List:item&_revinclude:iterate=Observation:subject&_include:iterate=*:*',
  );
  if (answer.status === 200) t.false(/[a-z]-p2|Patient\/p2/.test(answer.text), answer.text);
  else t.is(answer.status, 400);
});

test('a search over all types finds what is opened of each', async (t) => {
  const all = await reader.get<Bundle>('?_lastUpdated=gt2000&_count=100');
  t.true(idsOf(all).includes('Condition/con-p1'), all.text);
  t.false(all.text.includes('-p2"'), all.text);
  const labs = as(acme, `system/Observation.rs?category=${LAB} system/Organization.rs`);
  t.deepEqual(idsOf(await labs.get<Bundle>('?_lastUpdated=gt2000')).toSorted(), [
    'Observation/lab-p1',
    'Observation/lab-p2',
    'Organization/org',
  ]);
});

test('a compartment is searched by whoever may read its owner', async (t) => {
  t.is((await reader.get<Bundle>('Patient/p1/Observation')).body.total, 2);
  t.is((await reader.get<Bundle>('Patient/p1/*')).status === 500, false);
  assertError(t, await reader.get('Patient/p2/Observation'), 404, 'NOT_FOUND');
});

test('$everything holds what is opened of each type', async (t) => {
  const whole = await reader.get<Bundle>('Patient/p1/$everything');
  t.true(idsOf(whole).includes('Encounter/enc-p1'));
  const labs = as(acme, `patient/Patient.rs patient/Observation.rs?category=${LAB}`, patient);
  const opened = ['Observation/lab-p1', 'Patient/p1'];
  for (const path of ['Patient/p1/$everything', 'Patient/$everything'])
    t.deepEqual(idsOf(await labs.get<Bundle>(path)).toSorted(), opened, path);
});

test('$lastn and $stats go by what is opened', async (t) => {
  const last = await reader.get<Bundle>('Observation/$lastn?subject=Patient/p1,Patient/p2&max=9');
  t.deepEqual(idsOf(last).toSorted(), ['Observation/lab-p1', 'Observation/vital-p1']);
  const stats = await reader.get<Parameters>(
    'Observation/$stats?subject=Patient/p2&code=718-7&system=http://loinc.org&statistic=count',
  );
  t.regex(stats.text, /"valueInteger":0/);
  assertError(
    t,
    await as(acme, 'system/Patient.rs').get('Observation/$lastn?subject=Patient/p1'),
    ...FORBIDDEN,
  );
});

test('totals and counts do not tell of what is hidden', async (t) => {
  for (const query of ['_summary=count', '_total=accurate', '_total=estimate', '_count=0'])
    t.is((await reader.get<Bundle>(`Observation?${query}`)).body.total, 2, query);
});

test('a page link is good for the token that it was made for alone', async (t) => {
  const first = await reader.get<Bundle>('Observation?_count=1');
  const next = linkOf(first, 'next') ?? '';
  t.is((await reader.get(next)).status, 200);
  for (const other of [as(acme, 'patient/*.rs', { patient: 'p2' }), as(acme, 'system/*.rs'), acme])
    assertError(t, await other.get(next), 404, 'UNKNOWN_PAGE_LINK');
  const open = linkOf(await acme.get<Bundle>('Observation?_count=1'), 'next') ?? '';
  assertError(t, await reader.get(open), 404, 'UNKNOWN_PAGE_LINK');
});

test('labels of a whole type are told to those whom nothing limits', async (t) => {
  assertError(t, await reader.get('Observation/$meta'), ...FORBIDDEN);
  assertError(t, await reader.get('$meta'), ...FORBIDDEN);
  t.is((await as(acme, 'system/Observation.rs').get('Observation/$meta')).status, 200);
});

test('terminology is there for every token that grants anything', async (t) => {
  const expand = 'ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender';
  t.is((await as(acme, 'patient/Observation.rs', patient).get(expand)).status, 200);
  assertError(t, await as(acme, 'openid').get(expand), ...FORBIDDEN);
});

test('what manages the server is for administrators', async (t) => {
  const root = as(acme, 'system/*.cruds');
  for (const path of ['$reindex', '$partition-management-list-partitions', '$partition-explain'])
    t.is(
      (
        await as({ ...acme, base: acme.base.replace(/\/acme$/, '') } as typeof acme, 'system/*.cruds').post(
          path,
          undefined,
        )
      ).status,
      403,
    );
  assertError(t, await root.post('$reindex', undefined), ...FORBIDDEN);
  assertError(t, await root.get('Patient?_explain=true'), ...FORBIDDEN);
});

test('an old version that belonged to somebody else stays hidden', async (t) => {
  const moved = { resourceType: 'Condition', id: 'moved', subject: { reference: 'Patient/p2' } };
  await acme.put('Condition/moved', { ...moved, code: { text: 'was theirs' } });
  await acme.put('Condition/moved', { ...moved, subject: { reference: 'Patient/p1' } });
  t.is((await reader.get('Condition/moved/_history/2')).status, 200);
  assertError(t, await reader.get('Condition/moved/_history/1'), 404, 'NOT_FOUND');
  const history = await reader.get<Bundle>('Condition/moved/_history');
  t.is(history.body.total, 1);
  t.false(history.text.includes('was theirs'));
});

test('what was deleted is gone without a word', async (t) => {
  const { id } = (
    await acme.post<{ id: string }>('Condition', {
      resourceType: 'Condition',
      subject: { reference: 'Patient/p1' },
    })
  ).body;
  await acme.delete(`Condition/${id}`);
  assertError(t, await reader.get(`Condition/${id}`), 404, 'NOT_FOUND');
  assertError(t, await reader.get(`Condition/${id}/_history/1`), 404, 'NOT_FOUND');
  t.is((await as(acme, 'system/Condition.r').get(`Condition/${id}`)).status, 410);
});
