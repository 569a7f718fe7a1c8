import test, { type ExecutionContext } from 'ava';
import { DEFAULT_JSON_LIMITS } from '../../../src/fhir/json.js';
import { parseXml } from '../../../src/fhir/xml/parse.js';
import { createTestServer } from '../../support/test-server.js';
import { type Answer, FhirClient } from '../support/fhir-client.js';

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

const XML = 'application/fhir+xml';
const TYPE = 'application/fhir+xml; charset=utf-8';
const asks = { accept: XML };
const sends = { 'content-type': XML };

type Members = Record<string, unknown>;

/** An answer that is one resource in FHIR XML. */
function read(t: ExecutionContext, answer: Answer<unknown>, status: number): Members {
  t.is(answer.status, status, answer.text.slice(0, 500));
  t.is(answer.headers.get('content-type'), TYPE, answer.text.slice(0, 200));
  return parseXml(answer.text, DEFAULT_JSON_LIMITS) as Members;
}

function element(type: string, content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><${type} xmlns="http://hl7.org/fhir">${content}</${type}>`;
}

/** An id as XML and JSON clients see it. */
function idOf({ id }: Members): string {
  return String(id);
}

function entry(method: string, url: string, resource = ''): string {
  const held = resource === '' ? '' : `<resource>${resource}</resource>`;
  return `<entry>${held}<request><method value="${method}"/><url value="${url}"/></request></entry>`;
}

function part(name: string, value: string): string {
  return `<part><name value="${name}"/>${value}</part>`;
}

const OBSERVATION = element(
  'Observation',
  '<text><status value="additional"/><div xmlns="http://www.w3.org/1999/xhtml"\n title=\'x\'>1 &lt; 2<br /></div></text>' +
    '<status value="final"/><code><text value=" a&#10;b "/></code><effectiveDateTime value="2020"><extension url="urn:x">' +
    '<valueDecimal value="0.10"/></extension></effectiveDateTime><valueQuantity><value value="7.00"/></valueQuantity>',
);

test('what is sent as XML is stored, and read as XML and as JSON', async (t) => {
  const created = await client.post('Observation', OBSERVATION, sends);
  const resource = read(t, created, 201);
  const asJson = await client.get<Members>(`Observation/${idOf(resource)}`);
  t.true(asJson.text.includes('"value":7.00'));
  t.true(asJson.text.includes('"valueDecimal":0.10'));
  t.like(asJson.body, {
    text: { div: `<div xmlns="http://www.w3.org/1999/xhtml"\n title='x'>1 &lt; 2<br /></div>` },
    code: { text: ' a\nb ' },
  });
  const asXml = await client.get(`Observation/${idOf(resource)}`, asks);
  t.is(asXml.text, created.text);
  t.is(asXml.headers.get('etag'), asJson.headers.get('etag'));
  const [, content = ''] = /<\?xml[^>]*>(?:<Observation[^>]*>)(.*)<\/Observation>/s.exec(OBSERVATION) ?? [];
  t.true(
    asXml.text.endsWith(`${content}</Observation>`),
    'what was sent stands behind id and meta, byte by byte',
  );
});

test('update, version, history and deletion speak XML', async (t) => {
  const { id } = await client.createPatient();
  const patient = element('Patient', `<id value="${id}"/><gender value="female"/>`);
  t.is(read(t, await client.put(`Patient/${id}`, patient, sends), 200)['gender'], 'female');
  t.is(read(t, await client.get(`Patient/${id}/_history/2`, asks), 200)['gender'], 'female');
  const history = read(t, await client.get(`Patient/${id}/_history`, asks), 200);
  t.is((history['entry'] as unknown[]).length, 2);
  const outcome = await client.delete(`Patient/${id}`, { ...asks, prefer: 'return=OperationOutcome' });
  t.is(read(t, outcome, 200)['resourceType'], 'OperationOutcome');
  t.is(read(t, await client.get(`Patient/${id}`, asks), 410)['resourceType'], 'OperationOutcome');
});

test('searches, their pages and counts speak XML', async (t) => {
  const tenant = client.tenant('acme');
  for (const family of ['a', 'b', 'c']) await tenant.createPatient({ name: [{ family }] });
  const first = read(t, await tenant.get('Patient?_count=2&_sort=family', asks), 200);
  t.is((first['entry'] as unknown[]).length, 2);
  t.is(read(t, await tenant.get('Patient?_summary=count', asks), 200)['total'], 3);
  const json = await tenant.get<Members>('Patient?_count=2&_sort=family');
  t.deepEqual(
    (first['entry'] as Members[]).map(({ resource }) => resource),
    (json.body['entry'] as Members[]).map(({ resource }) => resource),
  );
  const form = await tenant.send('POST', 'Patient/_search', {
    body: 'family=a&_format=xml',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  t.is((read(t, form, 200)['entry'] as unknown[]).length, 1);
});

test('links of a search and a history keep _format', async (t) => {
  const tenant = client.tenant('beta');
  for (const family of ['a', 'b', 'c', 'd', 'e']) await tenant.createPatient({ name: [{ family }] });
  for (const path of [
    'Patient?_count=2&_format=xml',
    'Patient/_history?_count=2&_format=application/fhir%2Bxml',
  ]) {
    let url: string | undefined = path;
    let pages = 0;
    let entries = 0;
    while (url !== undefined) {
      const page: Members = read(t, await tenant.get(url), 200);
      pages += 1;
      entries += (page['entry'] as unknown[]).length;
      const links = page['link'] as { readonly relation: string; readonly url: string }[];
      url = links.find(({ relation }) => relation === 'next')?.url;
    }
    t.is(pages, 3);
    t.is(entries, 5);
  }
});

test('batches and transactions come and go as XML', async (t) => {
  for (const type of ['batch', 'transaction']) {
    const body = element(
      'Bundle',
      `<type value="${type}"/>${entry('POST', 'Patient', '<Patient><gender value="male"/></Patient>')}${entry('GET', 'Patient?_summary=count')}`,
    );
    const bundle = read(t, await client.post('', body, sends), 200);
    t.is(bundle['type'], `${type}-response`);
    const [created] = bundle['entry'] as { readonly response: { readonly status: string } }[];
    t.regex(created?.response.status ?? '', /^201/);
  }
  const broken = element('Bundle', `<type value="batch"/>${entry('GET', 'Patient/never')}`);
  t.true((await client.post('', broken, sends)).text.includes('<outcome><OperationOutcome>'));
});

test('operations take Parameters in XML, and a FHIRPath Patch', async (t) => {
  const { id } = await client.createPatient({ gender: 'male' });
  const patch = element(
    'Parameters',
    `<parameter><name value="operation"/>${part('type', '<valueCode value="replace"/>')}${part('path', '<valueString value="Patient.gender"/>')}${part('value', '<valueCode value="other"/>')}</parameter>`,
  );
  t.is(
    read(t, await client.send('PATCH', `Patient/${id}`, { body: patch, headers: sends }), 200)['gender'],
    'other',
  );
  const resource = element(
    'Parameters',
    '<parameter><name value="resource"/><resource><Patient><gender value="nonsense"/></Patient></resource></parameter>',
  );
  const outcome = read(t, await client.post('Patient/$validate', resource, sends), 200);
  t.is(outcome['resourceType'], 'OperationOutcome');
  const patched = await client.send('PATCH', `Patient/${id}`, {
    body: '<diff/>',
    headers: { 'content-type': 'application/xml-patch+xml' },
  });
  t.is(patched.status, 415);
});

test('the CapabilityStatement is there in XML, and names it', async (t) => {
  const statement = read(t, await client.get('metadata?_format=xml'), 200);
  t.deepEqual(statement['format'], ['application/fhir+json', 'json', XML, 'xml']);
  t.true((statement['patchFormat'] as string[]).includes(XML));
});

test('errors come in the format that was asked for, also before the request was understood', async (t) => {
  for (const [path, status] of [
    ['Patient/never', 404],
    ['Nonsense', 404],
    ['Patient?nonsense=x', 400],
    ['no%2Fpath/x', 400],
    ['never/Patient/x', 404],
  ] as const) {
    const outcome = read(t, await client.get(path, asks), status);
    t.is(outcome['resourceType'], 'OperationOutcome');
    t.is((await client.get(path)).headers.get('content-type'), 'application/fhir+json; charset=utf-8');
  }
  t.is(read(t, await client.get('Nonsense?_format=xml'), 404)['resourceType'], 'OperationOutcome');
  t.is(read(t, await client.post('Patient', '<Patient/>', sends), 400)['resourceType'], 'OperationOutcome');
  const invalid = element('Patient', '<gender value="nonsense"/>');
  t.is(read(t, await client.post('Patient', invalid, sends), 422)['resourceType'], 'OperationOutcome');
});

test('who sends XML and accepts anything gets XML; who asks for JSON gets JSON', async (t) => {
  const patient = element('Patient', '');
  const answers = (accept: string) => client.post('Patient', patient, { ...sends, accept });
  t.is((await answers('*/*')).headers.get('content-type'), TYPE);
  t.is(
    (await answers('application/fhir+json')).headers.get('content-type'),
    'application/fhir+json; charset=utf-8',
  );
  t.is((await client.post('Patient', { resourceType: 'Patient' }, asks)).headers.get('content-type'), TYPE);
  t.is(
    (await client.get('Patient', { accept: '*/*' })).headers.get('content-type'),
    'application/fhir+json; charset=utf-8',
  );
});

test('HEAD tells the length of the XML, and _pretty indents it', async (t) => {
  const { id } = await client.createPatient({ name: [{ family: 'Ä' }] });
  const compact = await client.get(`Patient/${id}`, asks);
  const head = await client.send('HEAD', `Patient/${id}`, { headers: asks });
  t.is(Number(head.headers.get('content-length')), Buffer.byteLength(compact.text));
  t.is(head.headers.get('content-type'), TYPE);
  const pretty = await client.get(`Patient/${id}?_pretty=true`, asks);
  t.true(pretty.text.includes('\n  <name>\n    <family value="Ä"/>\n  </name>\n'));
  t.deepEqual(read(t, pretty, 200), read(t, compact, 200));
});

test('of a Binary the resource comes as XML, small or large, and XML may be its content', async (t) => {
  for (const size of [10, 600_000]) {
    const content = Buffer.alloc(size, 'x');
    const created = await client.post<Members>('Binary', new Uint8Array(content), {
      'content-type': 'text/plain',
    });
    const binary = read(t, await client.get(`Binary/${idOf(created.body)}`, asks), 200);
    t.is(binary['contentType'], 'text/plain');
    t.is(binary['data'], content.toString('base64'));
    t.is((await client.get(`Binary/${idOf(created.body)}`)).text, content.toString());
  }
  const raw = await client.post<Members>('Binary', '<a/>', { 'content-type': 'application/xml' });
  const stored = await client.get(`Binary/${idOf(raw.body)}`, { accept: 'application/xml' });
  t.is(stored.text, '<a/>');
  t.is(stored.headers.get('content-type'), 'application/xml');
  const data = Buffer.from('hello').toString('base64');
  const sent = element('Binary', `<contentType value="text/plain"/><data value="${data}"/>`);
  const resource = read(t, await client.post('Binary', sent, sends), 201);
  t.is((await client.get(`Binary/${idOf(resource)}`)).text, 'hello');
});
