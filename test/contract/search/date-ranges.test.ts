import test from 'ava';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { matchesOf, type Bundle } from './pages.js';

const server = await createTestServer({ partitions: ['acme'] });
const acme = new FhirClient(server.url).tenant('acme');
test.after.always(() => server.stop());

const CODE = { text: 'x' };
const subject = { display: 'x' };

function activityOf(day: string): object {
  return { detail: { status: 'completed', scheduledPeriod: { start: day, end: day } } };
}

test.before(async () => {
  const times = {
    early: { effectiveDateTime: '2018-03-01' },
    late: { effectiveDateTime: '2021-03-01' },
    long: { effectivePeriod: { start: '2018-01-01', end: '2021-12-31' } },
    open: { effectivePeriod: { start: '2018-01-01' } },
    none: {},
  };
  for (const [id, time] of Object.entries(times))
    await acme.put(`Observation/${id}`, {
      resourceType: 'Observation',
      id,
      status: 'final',
      code: CODE,
      ...time,
    });
  for (const [id, days] of Object.entries({ both: ['2018-03-01', '2021-03-01'], first: ['2018-03-01'] }))
    await acme.put(`CarePlan/${id}`, {
      resourceType: 'CarePlan',
      id,
      status: 'active',
      intent: 'plan',
      subject,
      activity: days.map(activityOf),
    });
});

const SEARCHES: Readonly<Record<string, readonly string[]>> = {
  'Observation?date=ge2020&date=lt2019': ['long', 'open'],
  'Observation?date=ge2018-03-01&date=le2018-03-01': ['early', 'long', 'open'],
  'Observation?date=ge2018&date=lt2022&date=ne2021': ['early', 'long', 'open'],
  'Observation?date=sa2018-12-31&date=eb2022': ['late'],
  'Observation?date=ge2020,lt2019&date=gt2021': ['open'],
  'Observation?date=ge2020&date=lt2019&date:missing=false': ['long', 'open'],
  'Observation?date=gt2021-06&_lastUpdated=gt2020': ['long', 'open'],
  // Two activities, of which each passes one.
  'CarePlan?activity-date=ge2020&activity-date=lt2019': ['both'],
};

for (const [search, ids] of Object.entries(SEARCHES)) {
  test(`every date that is given holds, for one value of those that a resource has: ${search}`, async (t) => {
    const { body, text, status } = await acme.get<Bundle>(search);
    t.is(status, 200, text);
    t.deepEqual(
      matchesOf([body])
        .map(({ id }) => id)
        .toSorted(),
      ids,
    );
  });
}
