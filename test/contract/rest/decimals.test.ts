import test from 'ava';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

function observation(value: string): string {
  return `{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":${value}}}`;
}

const LITERALS = [
  '1.00',
  '0.10',
  '1e2',
  '1E+2',
  '1.0e-7',
  '-0.0',
  '0',
  '-5',
  '100',
  '3.14159265358979323846264338327950288419716939937510',
  '12345678901234567890',
  '0.000000000000000000000001',
  '9007199254740993',
];

for (const literal of LITERALS) {
  test(`the decimal ${literal} keeps its text through create, read, vread, update and history`, async (t) => {
    const expected = `"value":${literal}}`;
    const created = await client.post<{ id: string }>('Observation', observation(literal));
    t.is(created.status, 201, created.text);
    const { id } = created.body;
    t.true(created.text.includes(expected), created.text);
    t.true((await client.get(`Observation/${id}`)).text.includes(expected));
    t.true((await client.get(`Observation/${id}/_history/1`)).text.includes(expected));
    const body = observation(literal).replace('{', `{"id":"${id}",`);
    t.true((await client.put(`Observation/${id}`, body)).text.includes(expected));
    t.true((await client.get(`Observation/${id}/_history`)).text.includes(expected));
    t.true((await client.get(`Observation?_id=${id}`)).text.includes(expected));
    t.true((await client.get(`Observation/${id}?_summary=data`)).text.includes(expected));
    t.true((await client.get(`Observation/${id}?_pretty=true`)).text.includes(`"value": ${literal}\n`));
  });
}

test('a decimal keeps its text through $meta-add', async (t) => {
  const { body } = await client.post<{ id: string }>('Observation', observation('1.00'));
  const meta = { tag: [{ system: 'urn:t', code: 'x' }] };
  await client.post(`Observation/${body.id}/$meta-add`, {
    resourceType: 'Parameters',
    parameter: [{ name: 'meta', valueMeta: meta }],
  });
  const read = await client.get(`Observation/${body.id}`);
  t.true(read.text.includes('"value":1.00'));
  t.true(read.text.includes('"versionId":"2"'));
});

test('a decimal keeps its text through a batch that asks for the resource', async (t) => {
  const bundle = `{"resourceType":"Bundle","type":"batch","entry":[{"resource":${observation('0.10')},"request":{"method":"POST","url":"Observation"}}]}`;
  t.true((await client.post('', bundle, { prefer: 'return=representation' })).text.includes('"value":0.10'));
});
