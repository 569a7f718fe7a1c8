import test from 'ava';
import type { Bundle, Patient } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const root = new FhirClient(server.url);
const [acme, beta] = [root.tenant('acme'), root.tenant('beta')];
test.after.always(() => server.stop());

const OTHERS = 30;
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('attack 37: a count that is no count is 400, one beyond the maximum is the maximum', async (t) => {
  await acme.createPatient();
  for (const count of ['-1', 'NaN', 'Infinity', '1.5', '0x10', '1e9', '', ' ', '١', '9'.repeat(400)]) {
    const answer = await acme.get<Bundle>(`Patient?_count=${encodeURIComponent(count)}`);
    if (answer.status !== 200) assertError(t, answer, 400, 'INVALID_SEARCH');
    else t.true((answer.body.entry?.length ?? 0) <= 1_000, count);
  }
  t.is((await acme.get<Bundle>('Patient?_count=999999999')).status, 200);
});

test('attack 85: versions, entity tags, ids and request ids tell nothing of what others do', async (t) => {
  const first = await acme.post<Patient>('Patient', { resourceType: 'Patient' });
  const others = await Promise.all(Array.from({ length: OTHERS }, () => beta.createPatient()));
  const second = await acme.post<Patient>('Patient', { resourceType: 'Patient' });
  for (const { headers, body } of [first, second]) {
    t.is(headers.get('etag'), 'W/"1"');
    t.is(body.meta?.versionId, '1');
    t.regex(body.id ?? '', UUID_V7);
  }
  const requests = [first, second].map(({ headers }) => headers.get('x-request-id') ?? '');
  for (const id of requests) t.regex(id, UUID_V7);
  // What follows the time is drawn, and does not go up with each id.
  const drawn = others.map(({ id }) => id.slice(15));
  t.is(new Set(drawn).size, OTHERS);
  t.notDeepEqual(drawn, drawn.toSorted());
  const history = await acme.get<Bundle>(`Patient/${second.body.id}/_history`);
  t.is(history.body.total, 1);
  t.false(history.text.includes(others[0]?.id ?? ''));
});
