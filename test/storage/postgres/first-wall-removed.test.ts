import test, { type ExecutionContext } from 'ava';
import type { Bundle } from 'fhir/r4.js';
import pg from 'pg';
import { PARTITIONED_TABLES } from '../../../src/storage/sql/tables.js';
import { FOREIGN_ID, linkOf, openSeededWorld, type World } from '../../contract/isolation/fixtures.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { connectTo } from './fixtures.js';
import { withoutPredicates } from './without-predicates.js';

/**
 * A server whose first wall has gone: every predicate on PARTITION_ID is cut out of every statement on its way to
 * the database. What acme reads then must still be acme's, because the database shows nothing else.
 */
let database: TestDatabase;
let world: World;
let cut = 0;

test.before(async () => {
  database = await createTestDatabase();
  removeFirstWall();
  world = await openSeededWorld({ database, settings: { placement: 'shared' } });
});

test.after.always(async () => {
  await world.server.stop();
  await database.drop();
});

/** Where pg sends the text of a statement, whoever wrote it. */
function removeFirstWall(): void {
  const wire = pg.Connection.prototype as unknown as Wire;
  const { parse } = wire;
  wire.parse = function (message) {
    const text = withoutPredicates(message.text);
    if (text !== message.text) cut++;
    parse.call(this, { ...message, text });
  };
}

interface Wire {
  parse(message: { readonly name: string; readonly text: string }): void;
}

const READS = [
  'Patient/p1',
  'Patient/p1/_history',
  'Patient/_history',
  '_history?_count=100',
  'Patient/$meta',
  'Patient',
  `Patient?_id=p1,${FOREIGN_ID}`,
  'Patient?identifier=urn:mrn|1&_total=accurate',
  'Patient?family=oka&birthdate=ge1970&_sort=family,-birthdate',
  'Patient?_tag=urn:tag|same&_profile=http://example.org/profile',
  'Patient?organization.name=clinic',
  'Patient?_has:Observation:patient:code=29463-7',
  'Patient?address:missing=true',
  'Patient?family:contains=k&_count=1',
  'Observation?subject=Patient/p1&value-quantity=gt1||kg',
  'Observation?patient.family=okafor&_include=Observation:subject&_include=*',
  'Patient?_revinclude=Observation:subject&_revinclude=RiskAssessment:subject',
  'RiskAssessment?probability=ap0.5',
  'PlanDefinition?url=http://example.org/plan',
];

/** Nothing that beta stores is without its canary. */
async function foreignIn(client: World['root'], paths: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const { text } = await client.get<Bundle>(path);
    if (text.includes(world.beta.canary)) found.push(path);
  }
  return found;
}

test.serial('what a tenant reads and finds without predicates is its own', async (t) => {
  t.deepEqual(await foreignIn(world.acme.client, READS), []);
  t.true(cut > READS.length, `only ${cut} statements were cut`);
  const page = await world.acme.client.get<Bundle>('Observation?_tag=urn:tag|same&_count=1&_total=accurate');
  t.is(page.body.total, 1);
  t.is(linkOf(page, 'next'), undefined);
});

test.serial('what a tenant does not hold is not there for it, whoever else holds it', async (t) => {
  const { client } = world.acme;
  for (const path of [`Patient/${FOREIGN_ID}`, `Binary/${FOREIGN_ID}`, `Patient/${FOREIGN_ID}/_history/1`])
    t.is((await client.get(path)).status, 404, path);
  t.is(await client.count(`Patient?identifier=urn:mrn|${FOREIGN_ID}`), 0);
});

test.serial('writes without predicates change nothing of another tenant', async (t) => {
  const { acme, beta } = world;
  const before = await beta.client.get('_history?_count=1000');
  const body = { resourceType: 'Patient', id: 'p1', name: [{ family: 'Changed' }] };
  t.is((await acme.client.put('Patient/p1', body)).status, 200);
  const conditional = await acme.client.delete(`Patient?identifier=urn:mrn|${FOREIGN_ID}`);
  t.true(conditional.status === 204 || conditional.status === 404, conditional.text);
  t.true((await acme.client.delete('Observation/b1')).status < 300);
  const reference = { resourceType: 'Observation', status: 'final', code: { text: 'x' } };
  const foreign = { ...reference, subject: { reference: `Patient/${FOREIGN_ID}` } };
  t.is((await acme.client.post('Observation', foreign)).status, 400);
  const after = await beta.client.get('_history?_count=1000');
  t.is(after.body.resourceType, 'Bundle' as never);
  t.deepEqual(entriesOf(after.text), entriesOf(before.text));
});

function entriesOf(text: string): unknown {
  return (JSON.parse(text) as Bundle).entry;
}

test.serial('without the second wall either, the same requests show foreign rows', async (t) => {
  await tearDownSecondWall(t);
  const found = await foreignIn(world.acme.client, READS);
  t.true(found.length > READS.length / 2, `only ${found.join(', ')}`);
});

/** So that the tests before this one could have failed. */
async function tearDownSecondWall(t: ExecutionContext): Promise<void> {
  const owner = await connectTo(t, database.url);
  for (const table of PARTITIONED_TABLES) {
    await owner.query(`alter table ${table} no force row level security, disable row level security`);
  }
}
