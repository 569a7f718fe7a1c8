import test from 'ava';
import type { OperationOutcome, SearchParameter } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { parameterOf } from './fixtures.js';

const server = await createTestServer({ contents: 'search-parameters', settings: { validation: 'off' } });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

/** A product of ten loops over ten values. */
const ENDLESS = Array.from({ length: 10 }).reduce<string>(
  (inner) => `(0|1|2|3|4|5|6|7|8|9).select(${inner})`,
  '$this',
);

const REFUSED: Readonly<Record<string, readonly [Partial<SearchParameter>, RegExp]>> = {
  'an element that does not exist': [
    { expression: 'Patient.nam.family' },
    /^SearchParameter\.expression: Patient has no element "nam", at character 9: "nam\.family"\.$/,
  ],
  'a choice as JSON names it': [
    { type: 'date', expression: "Patient.extension.where(url = 'urn:x').valueDateTime" },
    /Extension has no element "valueDateTime"; FHIRPath says value\.ofType\(dateTime\), at character 40/,
  ],
  'text that is not FHIRPath': [{ expression: 'Patient.name.where(' }, /expression: .* at character \d+/],
  'a function that does not exist': [{ expression: 'Patient.name.frobnicate()' }, /frobnicate/],
  'another type than its base': [{ expression: 'Observation.code' }, /reads nothing of Patient/],
  'values of another kind': [
    { type: 'reference', expression: 'Patient.birthDate' },
    /cannot search values of type date/,
  ],
  'an endless expression': [{ expression: ENDLESS }, /takes longer than/],
  'deep nesting': [{ expression: `${'('.repeat(3000)}name${')'.repeat(3000)}` }, /nested deeper than 32/],
  'the time of day': [{ type: 'date', expression: 'now()' }, /"now" cannot be used/],
  'other resources': [{ expression: 'Patient.link.other.resolve().name' }, /"resolve" cannot be used/],
  'no expression': [{ expression: '' }, /expression is needed/],
  'a code with a colon': [{ code: 'a:b' }, /SearchParameter\.code/],
  'a reserved code': [{ code: '_id' }, /SearchParameter\.code/],
  'no base': [{ base: [] as unknown as SearchParameter['base'] }, /SearchParameter\.base/],
  'an unknown base': [
    { base: ['Unicorn'] as unknown as SearchParameter['base'] },
    /"Unicorn" is no resource type/,
  ],
  'an unknown type': [{ type: 'colour' as SearchParameter['type'] }, /SearchParameter\.type/],
  'a special type': [{ type: 'special' }, /specification alone/],
  'no url': [{ url: '' }, /canonical URL is needed/],
  'a url that is taken': [
    { url: 'http://hl7.org/fhir/SearchParameter/Patient-link' },
    /another SearchParameter has this URL/,
  ],
  'an unknown target': [
    {
      type: 'reference',
      expression: 'Patient.link.other',
      target: ['Unicorn'] as unknown as SearchParameter['target'],
    },
    /target\[0\]/,
  ],
  'a component that does not exist': [
    {
      type: 'composite',
      expression: 'Patient',
      component: [{ definition: 'http://example.org/none', expression: '$this' }],
    },
    /component\[0\]\.definition: there is no active SearchParameter/,
  ],
};

for (const [what, [change, message]] of Object.entries(REFUSED)) {
  for (const status of ['active', 'draft'] as const) {
    test(`${what} is refused, in a parameter that is ${status}`, async (t) => {
      const answer = await client.post<OperationOutcome>(
        'SearchParameter',
        parameterOf('tested', { status, ...change }),
      );
      t.is(answer.status, 422, answer.text);
      t.regex(answer.body.issue[0]?.diagnostics ?? '', message);
      t.truthy(answer.body.issue[0]?.expression?.[0]?.startsWith('SearchParameter.'));
    });
  }
}

test('a composite of known parameters is taken', async (t) => {
  const component = ['Patient-name', 'individual-gender'].map((id) => ({
    definition: `http://hl7.org/fhir/SearchParameter/${id}`,
    expression: '$this',
  }));
  const composite = parameterOf('name-gender', { type: 'composite', expression: 'Patient', component });
  t.is((await client.post('SearchParameter', composite)).status, 201);
});

function patient(names: number): object {
  return { resourceType: 'Patient', name: [{ given: Array.from({ length: names }, (_, at) => `n${at}`) }] };
}

test('what costs too much on one resource refuses that resource alone', async (t) => {
  const expression =
    '%resource.name.given.select(%resource.name.given.select(%resource.name.given.select(%resource.name.given)))';
  t.is((await client.post('SearchParameter', parameterOf('costly', { expression }))).status, 201);
  const large = await client.post<OperationOutcome>('Patient', patient(300));
  t.is(large.status, 400, large.text);
  t.regex(large.body.issue[0]?.diagnostics ?? '', /takes too long on this resource/);
  t.is((await client.post('Patient', patient(2))).status, 201);
});
