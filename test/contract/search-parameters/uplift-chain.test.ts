import test from 'ava';
import type { Bundle } from 'fhir/r4.js';
import { createReindexServer, reindexed } from '../reindex/fixtures.js';
import { observationOn } from '../support/observations.js';
import { matchesOf } from './fixtures.js';
import { answersOf, explainOf } from './uplift-fixtures.js';
import {
  CHAINS,
  identifiersAt,
  LIFTED,
  liftChains,
  load,
  observationAt,
  patientAt,
  put,
  unliftChains,
} from './uplift-world.js';

const { server, client, settle } = await createReindexServer({
  contents: 'search-parameters',
  partitions: ['acme', 'beta'],
});
const acme = client.tenant('acme');
const beta = client.tenant('beta');
test.after.always(() => server.stop());

const SEARCH = `Observation?patient.identifier=${LIFTED}|fresh`;

/** Those that the chains lead to; copies are renewed wherever there are any. */
const TYPES = [
  'Patient',
  'Group',
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'CareTeam',
  'RelatedPerson',
  'Device',
  'Location',
].map((type) => ({ name: 'type', valueCode: type }));

async function answers(): Promise<readonly object[]> {
  return [await answersOf(acme, CHAINS), await answersOf(beta, CHAINS)];
}

async function isLifted(): Promise<boolean> {
  const { sql } = await explainOf(client, 'acme', `Observation?patient.identifier=${LIFTED}|v1`);
  return !/HFJ_RES_LINK/i.test(sql);
}

async function matches(search = SEARCH): Promise<readonly (string | undefined)[]> {
  return matchesOf(await acme.get<Bundle>(search)).toSorted();
}

test.serial('chains give the same answers before, while and after they are lifted', async (t) => {
  await load(acme, 0);
  await load(beta, 100);
  const joined = await answers();
  t.true(Object.values(joined[0] ?? {}).flat().length > 300);
  await liftChains(client);
  t.false(await isLifted());
  t.deepEqual(await answers(), joined);
  settle();
  t.like(await reindexed(client, '$reindex', TYPES), { state: 'done', failed: 0 });
  t.true(await isLifted());
  t.deepEqual(await answers(), joined);
});

test.serial('a lifted chain is one look-up by the value, without a link', async (t) => {
  for (const [search, path] of [
    [
      `Observation?patient.identifier=${LIFTED}|v1`,
      'uplift:alt_id subject Patient chained:urn:lifted identifier',
    ],
    [
      'Observation?patient.identifier=urn:other|v1',
      'uplift:patient-identifier subject Patient chained: identifier',
    ],
    ['Observation?patient.name=ash', 'uplift:patient-name subject Patient chained: name'],
    [
      'Observation?subject:Group.identifier=v1',
      'uplift:subject-identifier subject Group chained: identifier',
    ],
    ['Patient?link.identifier=v1', 'uplift:link-identifier link.other Patient chained: identifier'],
  ] as const) {
    const { plan, sql } = await explainOf(client, 'acme', search);
    t.true(plan.includes(JSON.stringify(path)), plan);
    t.notRegex(sql, /HFJ_RES_LINK/i);
    t.regex(sql, /HFJ_SPIDX_COMPOSITE/i);
  }
  const { sql } = await explainOf(client, 'acme', 'Observation?patient.gender=male');
  t.regex(sql, /HFJ_RES_LINK/i);
});

function patient(...identifier: readonly object[]): object {
  return { resourceType: 'Patient', id: 'fresh', ...(identifier.length > 0 && { identifier }) };
}

test.serial('copies follow what is written, on both ends of the reference', async (t) => {
  const fresh = { system: LIFTED, value: 'fresh' };
  t.is((await acme.put('Patient/fresh', patient())).status, 201);
  await acme.put('Observation/first', observationOn('first', 'Patient/fresh'));
  t.deepEqual(await matches(), []);
  await acme.put('Patient/fresh', patient(fresh));
  t.deepEqual(await matches(), ['first']);
  await acme.put('Observation/second', observationOn('second', 'Patient/fresh'));
  t.deepEqual(await matches(), ['first', 'second']);
  await acme.put('Observation/first', observationOn('first', 'Patient/p1'));
  t.deepEqual(await matches(), ['second']);
  await acme.put('Observation/first', observationOn('first', 'Patient/fresh'));
  await acme.delete('Observation/second');
  t.deepEqual(await matches(), ['first']);
  await acme.put('Patient/fresh', patient({ ...fresh, value: 'other' }));
  t.deepEqual(await matches(), []);
  t.deepEqual(await matches(`Observation?patient.identifier=${LIFTED}|other`), ['first']);
  t.deepEqual(matchesOf(await beta.get<Bundle>(`Observation?patient.identifier=${LIFTED}|other`)), []);
  await acme.delete('Observation/first');
  await acme.delete('Patient/fresh');
  t.deepEqual(await matches(`Observation?patient.identifier=${LIFTED}|other`), []);
});

test.serial('resources of one transaction may refer to each other in circles, by placeholders', async (t) => {
  const entry = ['a', 'b'].map((name, at) => ({
    fullUrl: `urn:uuid:0000000${at}-0000-4000-8000-000000000000`,
    resource: {
      resourceType: 'Patient',
      identifier: [{ system: LIFTED, value: `circle-${name}` }],
      link: [
        { type: 'seealso', other: { reference: `urn:uuid:0000000${1 - at}-0000-4000-8000-000000000000` } },
      ],
    },
    request: { method: 'POST', url: 'Patient' },
  }));
  const { status, body } = await acme.post<Bundle>('', {
    resourceType: 'Bundle',
    type: 'transaction',
    entry,
  });
  t.is(status, 200);
  const [a, b] = (body.entry ?? []).map((one) => one.response?.location?.split('/').at(-3));
  t.deepEqual(await matches(`Patient?link.identifier=${LIFTED}|circle-a`), [b]);
  t.deepEqual(await matches(`Patient?link.identifier=${LIFTED}|circle-b`), [a]);
});

test.serial('after many writes of all kinds the answers are those of the references', async (t) => {
  for (let round = 0; round < 6; round++) {
    await put(acme, [
      ...[1, 5, 9].map((at) => patientAt(at + round, at * 3 + round)),
      ...[2, 7, 11, 20].map((at) => observationAt(at + round, at * 5 + round)),
      observationAt(100 + round, round),
    ]);
    await acme.put(`Group/g${round % 3}`, {
      resourceType: 'Group',
      id: `g${round % 3}`,
      type: 'person',
      actual: true,
      identifier: identifiersAt(round + 2),
    });
    await acme.delete(`Observation/o${30 + round}`);
  }
  t.true(await isLifted());
  const lifted = await answers();
  await unliftChains(client);
  t.false(await isLifted());
  t.deepEqual(await answers(), lifted);
});

test.serial(
  'an uplift that comes back waits for a reindex, which finds what changed meanwhile',
  async (t) => {
    await put(acme, [patientAt(1, 50), patientAt(2, 51), observationAt(3, 40)]);
    await acme.delete('Observation/o5');
    const joined = await answers();
    await liftChains(client);
    t.false(await isLifted());
    settle();
    t.like(await reindexed(client, '$reindex', TYPES), { state: 'done', failed: 0 });
    t.true(await isLifted());
    t.deepEqual(await answers(), joined);
  },
);
