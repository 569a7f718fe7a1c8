import test from 'ava';
import { selectElements, SUBSETTED, summarizeResource } from '../../src/fhir/elements.js';
import { parseJson, stringifyJson } from '../../src/fhir/json.js';
import type { Resource } from '../../src/model/resource.js';

const observation: Resource = {
  resourceType: 'Observation',
  id: 'o',
  meta: { versionId: '1' },
  language: 'en',
  text: { status: 'generated', div: '<div/>' },
  extension: [{ url: 'x', valueString: 'y' }],
  modifierExtension: [{ url: 'm', valueBoolean: true }],
  status: 'final',
  _status: { extension: [{ url: 'why', valueString: 'because' }] },
  code: { text: 'c', extension: [{ url: 'x', valueString: 'y' }] },
  subject: { reference: 'Patient/1' },
  valueQuantity: { value: 1, unit: 'g' },
  interpretation: [{ text: 'high' }],
  note: [{ text: 'n' }],
  component: [{ code: { text: 'cc' }, valueString: 'v', interpretation: [{ text: 'low' }] }],
};
const meta = { versionId: '1', tag: [SUBSETTED] };

test('_summary=true keeps the elements of the summary at every level, and modifier extensions whole', (t) => {
  t.deepEqual(summarizeResource(observation, 'true'), {
    resourceType: 'Observation',
    id: 'o',
    meta,
    modifierExtension: [{ url: 'm', valueBoolean: true }],
    status: 'final',
    _status: { extension: [{ url: 'why', valueString: 'because' }] },
    code: { text: 'c' },
    subject: { reference: 'Patient/1' },
    valueQuantity: { value: 1, unit: 'g' },
    component: [{ code: { text: 'cc' }, valueString: 'v' }],
  });
});

test('_summary=text keeps text, id, meta and mandatory elements', (t) => {
  t.deepEqual(Object.keys(summarizeResource(observation, 'text')), [
    'resourceType',
    'id',
    'meta',
    'text',
    'status',
    '_status',
    'code',
  ]);
});

test('_summary=data leaves out the narrative alone', (t) => {
  const { text: _text, ...rest } = observation;
  t.deepEqual(summarizeResource(observation, 'data'), { ...rest, meta } as Resource);
});

test('_summary=false is the resource itself', (t) => {
  t.is(summarizeResource(observation, 'false'), observation);
});

test('the summary of a bundle entry is that of its own type', (t) => {
  const bundle = {
    resourceType: 'Bundle',
    type: 'collection',
    entry: [{ resource: { resourceType: 'Patient', id: 'p', contact: [{}], active: true } }],
  };
  t.deepEqual(summarizeResource(bundle, 'true').entry, [
    { resource: { resourceType: 'Patient', id: 'p', active: true } },
  ]);
});

test('a resource that is tagged SUBSETTED is not tagged again', (t) => {
  const once = summarizeResource(observation, 'data');
  t.deepEqual(summarizeResource(once, 'data').meta, meta);
});

const always = ['resourceType', 'id', 'meta', 'modifierExtension', 'status', '_status', 'code'];
const selections: readonly (readonly [names: readonly string[], added: readonly string[]])[] = [
  [[], []],
  [['subject'], ['subject']],
  [['value'], ['valueQuantity']],
  [['valueQuantity'], ['valueQuantity']],
  [['Observation.note', 'Patient.subject'], ['note']],
  [['unknown', '', '__proto__', 'constructor'], []],
  [['Observation'], []],
  [['meta.tag', 'id.x'], []],
];

for (const [names, added] of selections) {
  test(`_elements=${names.join(',')} keeps what is named and what is mandatory`, (t) => {
    const selected = selectElements(observation, names);
    t.deepEqual(new Set(Object.keys(selected)), new Set([...always, ...added]));
    t.deepEqual(selected.meta, meta);
  });
}

test('_elements goes below the first level', (t) => {
  t.deepEqual(selectElements(observation, ['component.valueString']).component, [
    { code: { text: 'cc' }, valueString: 'v' },
  ]);
  t.deepEqual(selectElements(observation, ['valueQuantity.unit']).valueQuantity, { unit: 'g' });
  t.deepEqual(
    selectElements(observation, ['component.value', 'Observation.component']).component,
    observation.component,
  );
  t.deepEqual(selectElements(observation, ['component', 'component.value']).component, observation.component);
});

test('filtering keeps number texts and does not change the resource', (t) => {
  const source =
    '{"resourceType":"Observation","id":"o","meta":{},"valueQuantity":{"value":1.00,"unit":"g"},"note":[]}';
  const resource = parseJson(source) as Resource;
  t.true(stringifyJson(summarizeResource(resource, 'true')).includes('"value":1.00'));
  t.true(stringifyJson(selectElements(resource, ['valueQuantity.value'])).includes('{"value":1.00}'));
  t.is(stringifyJson(resource), source);
});
