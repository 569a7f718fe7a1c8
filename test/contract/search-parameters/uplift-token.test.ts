import test from 'ava';
import type { Bundle, Patient } from 'fhir/r4.js';
import { createReindexServer, reindexed } from '../reindex/fixtures.js';
import { matchesOf, warningsOf } from './fixtures.js';
import { answersOf, explainOf, lift, upliftToken } from './uplift-fixtures.js';

const { server, client, settle } = await createReindexServer({
  contents: 'search-parameters',
  partitions: ['acme', 'beta'],
});
const acme = client.tenant('acme');
const beta = client.tenant('beta');
test.after.always(() => server.stop());

const LIFTED = 'urn:lifted';
const OTHER = 'urn:other';
const SYSTEMS = [LIFTED, OTHER, undefined];

/** Patients with none to three identifiers, some of which share values, have no value or no system. */
function patientAt(at: number): Patient {
  const identifier = Array.from({ length: at % 4 }, (_, place) => {
    const system = SYSTEMS[(at + place) % 3];
    return {
      ...(system === undefined ? {} : { system }),
      ...((at + place) % 11 === 0 && system !== undefined ? {} : { value: `v${(at * 7 + place) % 13}` }),
    };
  });
  return { resourceType: 'Patient', id: `p${at}`, ...(identifier.length > 0 ? { identifier } : {}) };
}

const VALUES = ['v1', 'v2', 'v5', 'none'];
const SEARCHES = [
  ...VALUES.flatMap((value) =>
    [
      `${LIFTED}|${value}`,
      `${OTHER}|${value}`,
      value,
      `|${value}`,
      `${LIFTED}|${value},${OTHER}|v3,v4`,
    ].flatMap((text) => [`Patient?identifier=${text}`, `Patient?identifier:not=${text}`]),
  ),
  `Patient?identifier=${LIFTED}|`,
  `Patient?identifier:not=${LIFTED}|`,
  'Patient?identifier:missing=true',
  'Patient?identifier:missing=false',
  `Patient?_filter=identifier eq ${LIFTED}|v1`,
  `Patient?_filter=identifier ne ${LIFTED}|v1`,
  `Patient?_filter=not (identifier eq ${LIFTED}|v1 or identifier eq v2)`,
  `Patient?identifier=${Array.from({ length: 12 }, (_, at) => `${LIFTED}|v${at}`).join(',')}`,
  `Patient?identifier=${LIFTED}|v1&identifier=${OTHER}|v2`,
];

async function load(): Promise<void> {
  for (const tenant of [acme, beta]) {
    const patients = Array.from({ length: 120 }, (_, at) => patientAt(at + (tenant === beta ? 200 : 0)));
    const entry = patients.map((resource) => ({
      resource,
      request: { method: 'PUT', url: `Patient/${resource.id}` },
    }));
    const { status, text } = await tenant.post<Bundle>('', {
      resourceType: 'Bundle',
      type: 'transaction',
      entry,
    });
    if (status !== 200) throw new Error(text);
  }
}

test.serial('searches give the same answers before, while and after tokens are lifted', async (t) => {
  await load();
  const plain = [await answersOf(acme, SEARCHES), await answersOf(beta, SEARCHES)];
  await lift(client, 'Patient-identifier', [upliftToken(LIFTED, 'my_alt_id')]);
  t.notRegex((await explainOf(client, 'acme', `Patient?identifier=${LIFTED}|v1`)).plan, /uplift:/);
  t.deepEqual([await answersOf(acme, SEARCHES), await answersOf(beta, SEARCHES)], plain);
  t.deepEqual(warningsOf(await acme.get<Bundle>(`Patient?identifier=${LIFTED}|v1`)), []);
  settle();
  t.like(await reindexed(client, 'Patient/$reindex'), { state: 'done', failed: 0 });
  t.deepEqual([await answersOf(acme, SEARCHES), await answersOf(beta, SEARCHES)], plain);
});

async function planOf(search: string): Promise<string> {
  return (await explainOf(client, 'acme', search)).plan;
}

test.serial('a lifted system is asked of its own rows, everything else of all', async (t) => {
  t.regex(
    await planOf(`Patient?identifier=${LIFTED}|v1`),
    /"paths":\["uplift:my_alt_id urn:lifted identifier"\]/,
  );
  t.regex(await planOf(`Patient?identifier=${LIFTED}|v1`), /"system":null,"value":"v1"/);
  for (const value of [`${OTHER}|v1`, 'v1', '|v1', `${LIFTED}|`])
    t.notRegex(await planOf(`Patient?identifier=${value}`), /uplift:/, value);
  t.notRegex(await planOf('Patient?identifier:missing=true'), /uplift:/);
});

test.serial('what is written, changed and deleted later is found by its lifted values', async (t) => {
  const search = `Patient?identifier=${LIFTED}|fresh`;
  const fresh: Patient = {
    resourceType: 'Patient',
    id: 'fresh',
    identifier: [{ system: LIFTED, value: 'fresh' }],
  };
  t.is((await acme.put('Patient/fresh', fresh)).status, 201);
  t.deepEqual(matchesOf(await acme.get<Bundle>(search)), ['fresh']);
  t.deepEqual(matchesOf(await beta.get<Bundle>(search)), []);
  const second = { system: LIFTED, value: 'second' };
  await acme.put('Patient/fresh', { ...fresh, identifier: [...(fresh.identifier ?? []), second] });
  t.deepEqual(matchesOf(await acme.get<Bundle>(`Patient?identifier=${LIFTED}|second`)), ['fresh']);
  await acme.put('Patient/fresh', { ...fresh, identifier: [second] });
  t.deepEqual(matchesOf(await acme.get<Bundle>(search)), []);
  await acme.delete('Patient/fresh');
  t.deepEqual(matchesOf(await acme.get<Bundle>(`Patient?identifier=${LIFTED}|second`)), []);
});

test.serial(
  'one system goes to several elements, and an uplift that is taken back is no longer asked',
  async (t) => {
    const search = `Patient?identifier=${LIFTED}|v1`;
    const plain = matchesOf(await acme.get<Bundle>(search));
    await lift(client, 'Patient-identifier', [upliftToken(LIFTED, 'first'), upliftToken(LIFTED, 'second')]);
    t.notRegex((await explainOf(client, 'acme', search)).plan, /uplift:/);
    settle();
    t.like(await reindexed(client, 'Patient/$reindex'), { state: 'done', failed: 0 });
    t.regex((await explainOf(client, 'acme', search)).plan, /uplift:first/);
    t.deepEqual(matchesOf(await acme.get<Bundle>(search)), plain);
    await lift(client, 'Patient-identifier', []);
    t.notRegex((await explainOf(client, 'acme', search)).plan, /uplift:/);
    t.deepEqual(matchesOf(await acme.get<Bundle>(search)), plain);
  },
);
