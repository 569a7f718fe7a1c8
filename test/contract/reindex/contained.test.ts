import test from 'ava';
import type { Bundle, Observation } from 'fhir/r4.js';
import {
  createParameter,
  matchesOf,
  parameterOf,
  patientWith,
  warningsOf,
} from '../search-parameters/fixtures.js';
import { createReindexServer, reindexed } from './fixtures.js';

const { server, client, settle } = await createReindexServer({
  contents: 'search-parameters',
  partitions: ['acme'],
});
const acme = client.tenant('acme');
test.after.always(() => server.stop());

const CHAIN = 'Observation?subject:Patient.hat=red';
const CONTAINED = 'Patient?hat=red&_contained=true';

test('contained resources are reindexed with what contains them, and searches of them say so until then', async (t) => {
  const patient = { ...patientWith('hat', 'red'), id: 'p' };
  const observation = {
    resourceType: 'Observation',
    id: 'o',
    status: 'final',
    code: { text: 'x' },
    subject: { reference: '#p' },
    contained: [patient],
  };
  await acme.put<Observation>('Observation/o', observation);
  await createParameter(client, parameterOf('hat'));
  settle();
  const type = [{ name: 'type', valueCode: 'Patient' }];
  t.like(await reindexed(client, '$reindex', type), { state: 'done', failed: 0 });
  t.deepEqual(warningsOf(await acme.get<Bundle>('Patient?hat=red')), []);
  for (const query of [CHAIN, CONTAINED]) {
    const pending = await acme.get<Bundle>(query);
    t.deepEqual(matchesOf(pending), [], query);
    t.regex(warningsOf(pending).join(), /Contained resources are not all found yet/, query);
  }
  // What has been indexed from the beginning is complete.
  for (const query of ['Observation?subject:Patient.gender=male', 'Patient?_contained=true'])
    t.deepEqual(warningsOf(await acme.get<Bundle>(query)), [], query);
  t.like(await reindexed(client), { state: 'done', added: 1, failed: 0 });
  for (const query of [CHAIN, CONTAINED]) {
    const found = await acme.get<Bundle>(query);
    t.deepEqual(matchesOf(found), ['o'], query);
    t.deepEqual(warningsOf(found), [], query);
  }
});
