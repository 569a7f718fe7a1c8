import test from 'ava';
import { FhirClient } from '../contract/support/fhir-client.js';
import { createTestServer, type TestServer } from '../support/test-server.js';

/** Values at and beyond the edges of what databases store: whoever sends them hears of a mistake, never of a 500. */
let server: TestServer;
let client: FhirClient;

test.before(async () => {
  server = await createTestServer({ partitions: ['acme'] });
  client = new FhirClient(server.url).tenant('acme');
  await client.put('Patient/p', { resourceType: 'Patient', id: 'p', birthDate: '2001-02-03' });
});

test.after.always(() => server.stop());

const BEYOND_INT4 = '2147483648';
const BEYOND_INT8 = '9223372036854775808';
const BEYOND_DOUBLE = `1${'0'.repeat(400)}`;
const LONG = 'x'.repeat(6_000);

const READS: readonly string[] = [
  ...[BEYOND_INT4, BEYOND_INT8, BEYOND_DOUBLE, '-1', '00', '1e3'].flatMap((number) => [
    `Patient/p/_history/${number}`,
    `Patient?_count=${number}`,
    `Patient/p/_history?_count=${number}`,
    `_history?_count=${number}`,
    `RiskAssessment?probability=${number}`,
    `RiskAssessment?probability=gt-${number}`,
    `Observation?value-quantity=${number}`,
    `Observation?value-quantity=ap${number}||kg`,
    `Observation?value-quantity=lt${number}e300|http://unitsofmeasure.org|g`,
    `Patient?_page=${number}`,
    `Patient?_getpages=${number}`,
  ]),
  ...['1e400', '-1e400', '1e-400', '1e308', '4.9e-324', 'NaN', 'Infinity'].flatMap((number) => [
    `RiskAssessment?probability=${number}`,
    `Observation?value-quantity=${number}||kg`,
  ]),
  ...[
    '0000',
    '0001-01-01',
    '9999-12-31',
    '10000',
    '-4713',
    '9999-12-31T23:59:60Z',
    '2001-02-31',
    'infinity',
  ].flatMap((date) => [
    `Patient?birthdate=${date}`,
    `Patient?birthdate=ap${date}`,
    `Patient?_lastUpdated=gt${date}`,
    `_history?_since=${date}`,
    `Patient/p/_history?_at=${date}`,
  ]),
  ...[
    '%00',
    'a%00b',
    '%ED%A0%80',
    '%FF%FE',
    '%F0%9F%92%A9',
    '%5C',
    '%5Cx00',
    "'",
    '%22',
    '%25',
    '_',
    '%E2%80%AE',
  ].flatMap((text) => [
    `Patient?family=${text}`,
    `Patient?family:contains=${text}`,
    `Patient?family:exact=${text}`,
    `Patient?identifier=${text}|${text}`,
    `Patient?identifier:text=${text}`,
    `Patient?_id=${text}`,
    `Patient?_tag=${text}`,
    `Patient?_profile=${text}`,
    `Patient?organization=${text}`,
    `Patient?organization.name=${text}`,
    `Patient?_sort=${text}`,
    `Patient?_include=${text}`,
    `PlanDefinition?url:below=${text}`,
    `Patient/${text}`,
    `Patient?_cursor=${text}`,
  ]),
  ...[LONG, '%F0%9F%92%A9'.repeat(500)].flatMap((text) => [
    `Patient?family=${text}`,
    `Patient?identifier=${text}`,
    `Patient?identifier=${text}|1`,
    `PlanDefinition?url=${text}`,
    `PlanDefinition?url:above=${text}`,
    `Patient?organization=${text}`,
    `Patient/${text}`,
  ]),
];

test('no address makes the server fail', async (t) => {
  const failed: string[] = [];
  for (const path of READS) {
    const { status } = await client.get(path);
    if (status >= 500) failed.push(`${path.slice(0, 80)}: ${status}`);
  }
  t.deepEqual(failed, []);
});

test('no list of values is too long for a statement without being refused', async (t) => {
  for (const [name, value] of [
    ['_id', 'a'],
    ['identifier', 'urn:x|a'],
    ['family', 'a'],
    ['birthdate', '2001'],
    ['organization', 'Organization/a'],
  ] as const) {
    const values = Array.from(
      { length: 40_000 },
      (_, index) => `${value}${name === 'birthdate' ? '' : index}`,
    );
    const response = await fetch(`${client.base}/Patient/_search`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `${name}=${values.join(',')}`,
    });
    t.true(response.status < 500, `${name}: ${response.status} ${(await response.text()).slice(0, 300)}`);
  }
});

/** In every kind of index, as long or as far out as it gets. */
function hostileResources(text: string, number: number, date: string): readonly object[] {
  return [
    {
      resourceType: 'Patient',
      meta: { tag: [{ system: text, code: text }], profile: [`http://example.org/${text}`] },
      identifier: [{ system: text, value: text }],
      name: [{ family: text, given: [text, text] }],
      birthDate: date,
      generalPractitioner: [{ reference: `http://example.org/${text}` }],
    },
    { resourceType: 'PlanDefinition', status: 'draft', url: `http://example.org/${text}`, title: text },
    {
      resourceType: 'Observation',
      status: 'final',
      code: { coding: [{ system: text, code: text }], text },
      effectiveDateTime: date,
      valueQuantity: { value: number, unit: text, system: 'http://unitsofmeasure.org', code: 'kg' },
    },
    {
      resourceType: 'RiskAssessment',
      status: 'final',
      subject: { display: text },
      prediction: [{ probabilityDecimal: number }],
    },
    { resourceType: 'Basic', code: { text }, extension: [{ url: text, valueString: text }] },
  ];
}

const TEXTS = ['plain', 'x'.repeat(100_000), '💩'.repeat(5_000), '\\x00', "'; drop table x; --", 'a\u202eb'];
const NUMBERS = [0, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 63, 1e300];
const DATES = ['0001', '9999-12-31', '9999-12', '2016-12-31'];

test('no content makes the server fail', async (t) => {
  for (const [index, text] of TEXTS.entries()) {
    for (const resource of hostileResources(text, NUMBERS[index]!, DATES[index % DATES.length]!)) {
      const { status, text: answer } = await client.post(
        (resource as { resourceType: string }).resourceType,
        resource,
      );
      t.true(status < 500, `${JSON.stringify(resource).slice(0, 80)}: ${status} ${answer.slice(0, 300)}`);
    }
  }
});

const RAW: readonly (readonly [type: string, body: string])[] = [
  ['Patient', '{"resourceType":"Patient","name":[{"family":"a\\u0000b"}]}'],
  ['Patient', '{"resourceType":"Patient","identifier":[{"value":"a\\u0000b"}]}'],
  ['Patient', '{"resourceType":"Patient","name":[{"family":"\\ud800"}]}'],
  [
    'Patient',
    '{"resourceType":"Patient","name":[{"family":"\\udc00\\ud800"}],"identifier":[{"value":"\\ud83d"}]}',
  ],
  ['Patient', '{"resourceType":"Patient","text":{"status":"generated","div":"<div>\\u0000</div>"}}'],
  [
    'RiskAssessment',
    '{"resourceType":"RiskAssessment","status":"final","prediction":[{"probabilityDecimal":1e999}]}',
  ],
  [
    'RiskAssessment',
    '{"resourceType":"RiskAssessment","status":"final","prediction":[{"probabilityDecimal":-1e-999}]}',
  ],
  [
    'Observation',
    `{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueInteger":${BEYOND_INT8}}`,
  ],
  [
    'Basic',
    `{"resourceType":"Basic","code":{"text":"x"},"extension":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
  ],
  [
    'Basic',
    `{"resourceType":"Basic","code":{"text":"x"},"contained":${'[{"contained":'.repeat(2_000)}1${'}]'.repeat(2_000)}}`,
  ],
];

test('no text of JSON makes the server fail', async (t) => {
  for (const [type, body] of RAW) {
    const response = await fetch(`${client.base}/${type}`, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body,
    });
    t.true(
      response.status < 500,
      `${body.slice(0, 80)}: ${response.status} ${(await response.text()).slice(0, 300)}`,
    );
  }
});

test('no condition makes the server fail', async (t) => {
  const patient = { resourceType: 'Patient', id: 'p', birthDate: '2001-02-03' };
  for (const version of [BEYOND_INT4, BEYOND_INT8, BEYOND_DOUBLE, '0', '-1', 'x', '💩']) {
    const header = encodeURIComponent(version);
    const answer = await client.put('Patient/p', patient, { 'if-match': `W/"${header}"` });
    t.true(answer.status >= 400 && answer.status < 500, `${version}: ${answer.status} ${answer.text}`);
    const read = await client.get('Patient/p', { 'if-none-match': `W/"${header}"` });
    t.true(read.status < 500, `${version}: ${read.status}`);
  }
  for (const condition of [
    'identifier=a%00b',
    `identifier=${LONG}`,
    `identifier=${LONG}|${LONG}`,
    'birthdate=0000',
  ]) {
    const answer = await client.post('Patient', { resourceType: 'Patient' }, { 'if-none-exist': condition });
    t.true(answer.status < 500, `${condition.slice(0, 40)}: ${answer.status} ${answer.text.slice(0, 300)}`);
    const update = await client.put(`Patient?${condition}`, { resourceType: 'Patient' });
    t.true(update.status < 500, `${condition.slice(0, 40)}: ${update.status} ${update.text.slice(0, 300)}`);
  }
});

test('no id or name of a partition makes the server fail', async (t) => {
  const root = new FhirClient(server.url);
  for (const id of [2147483647, 2147483648, -2147483648, -2147483649, 2 ** 53, 1.5, 1e300]) {
    for (const operation of ['create', 'read', 'update', 'delete']) {
      const { status, text } = await root.post(`$partition-management-${operation}-partition`, {
        resourceType: 'Parameters',
        parameter: [
          { name: 'id', valueInteger: id },
          { name: 'name', valueCode: `n${String(id).replaceAll(/\W/g, '_')}` },
          { name: 'description', valueString: 'a\0b' },
        ],
      });
      t.true(status < 500, `${operation} ${id}: ${status} ${text.slice(0, 300)}`);
    }
  }
});
