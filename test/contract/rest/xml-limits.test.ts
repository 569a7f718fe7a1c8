import test from 'ava';
import { defineInterceptor } from '../../../src/index.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';

const seen: unknown[] = [];
const watcher = defineInterceptor({
  name: 'watcher',
  hooks: {
    SERVER_INCOMING_REQUEST_POST_PROCESSED: ({ request }) => void seen.push(request.body),
    SERVER_OUTGOING_RESPONSE: ({ value }) => {
      if (typeof value.body === 'string') seen.push(value.body.charAt(0));
      return undefined;
    },
  },
});

const server = await createTestServer({ settings: { validation: 'off' }, interceptors: [watcher] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

const XML = 'application/fhir+xml';
const JSON_TYPE = 'application/fhir+json; charset=utf-8';
const UNFIT = [
  { nonsense: 1 },
  { gender: 'a\u0001b' },
  { text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><p></div>' } },
  {
    text: {
      status: 'generated',
      div: '<div xmlns="http://www.w3.org/1999/xhtml"/></text><active value="true"/>',
    },
  },
];

test.serial('reading what XML cannot hold is 406 with the reason, and JSON still has it', async (t) => {
  for (const content of UNFIT) {
    const patient = { resourceType: 'Patient', ...content };
    const { body, status } = await client.post<{ readonly id: string }>('Patient', patient);
    t.is(status, 201);
    const answer = await client.get(`Patient/${body.id}`, { accept: XML });
    t.is(answer.status, 406);
    t.regex(answer.text, /^<\?xml.*<OperationOutcome.*NOT_ACCEPTABLE.*cannot be written as XML/s);
    t.like((await client.get(`Patient/${body.id}`)).body, content);
  }
});

test.serial('a write that XML cannot tell of is done, and told in JSON', async (t) => {
  const answer = await client.post('Patient', { resourceType: 'Patient', nonsense: 1 }, { accept: XML });
  t.is(answer.status, 201);
  t.is(answer.headers.get('content-type'), JSON_TYPE);
  t.like(answer.body, { nonsense: 1 });
});

test.serial('interceptors see JSON, whatever was sent and is answered', async (t) => {
  seen.length = 0;
  const body = '<Patient xmlns="http://hl7.org/fhir"><gender value="male"/></Patient>';
  const answer = await client.post('Patient', body, { 'content-type': XML, accept: XML });
  t.true(answer.text.startsWith('<?xml'));
  t.deepEqual(seen, [{ resourceType: 'Patient', gender: 'male' }, '{']);
});
