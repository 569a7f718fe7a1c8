import test from 'ava';
import type { Bundle } from 'fhir/r4.js';
import { as, openAccessWorld } from './fixtures.js';
import { idsOf } from '../isolation/fixtures.js';

const { server, acme } = await openAccessWorld();
test.after.always(() => server.stop());

const SEARCHES = [
  '?_lastUpdated=gt2000',
  '?_id=p1,doc,org,dev',
  '?_id:missing=false',
  '?_tag:missing=true',
  '?_profile:missing=true',
  '?_source:missing=true',
  '?_has:Observation:subject:code=x',
  '?_sort=_id',
  '?_sort=-_lastUpdated',
  '?_filter=_id ne nobody',
  'Patient/p1/*',
  'Patient/p1/*?_lastUpdated=gt2000',
  'Patient/p1/*?_id:missing=false',
  'Patient/p1/$everything',
  'Patient/p1/$everything?_type=Observation,Condition,Organization',
];

const SCOPES = [
  'system/Observation.rs system/Patient.rs',
  'system/Observation.rs patient/Patient.rs',
  'system/Organization.rs system/Condition.rs system/Patient.rs',
  'system/Substance.rs',
];

for (const search of SEARCHES)
  test(`${search}: only types that the token opens are found and counted`, async (t) => {
    const whole = await as(acme, 'system/*.rs').get<Bundle>(withCount(search));
    t.is(whole.status, 200, whole.text);
    let answered = 0;
    for (const scopes of SCOPES) {
      const answer = await as(acme, scopes, { patient: 'p1' }).get<Bundle>(withCount(search));
      const isRecordClosed = answer.status === 404 && !scopes.includes('Patient');
      if (answer.status === 403 || isRecordClosed) continue;
      answered++;
      const opened = new RegExp(
        `^(${[...scopes.matchAll(/\w+\/(\w+)\.rs/g)].map(([, type]) => type).join('|')})/`,
      );
      const expected = idsOf(whole).filter(
        (id) => opened.test(id) && (id !== 'Patient/p2' || /system.Patient/.test(scopes)),
      );
      t.deepEqual(idsOf(answer).toSorted(), expected.toSorted(), scopes);
      t.is(answer.body.total, expected.length, scopes);
    }
    t.true(answered > 0);
  });

function withCount(search: string): string {
  const total = search.includes('$everything') ? '' : '&_total=accurate';
  return `${search}${search.includes('?') ? '&' : '?'}_count=500${total}`;
}
