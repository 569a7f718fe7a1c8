import test from 'ava';
import {
  collectLiteralReferences,
  forEachReference,
  isResourceId,
  parseReference,
} from '../../src/fhir/references.js';
import { rewriteReferences } from '../../src/fhir/rewrite-references.js';
import { parseJson, stringifyJson } from '../../src/fhir/json.js';
import type { Resource } from '../../src/model/resource.js';
import { fastest } from '../support/fastest.js';

const parsed: readonly (readonly [text: string, expected: object])[] = [
  ['Patient/1', { kind: 'relative', type: 'Patient', id: '1' }],
  ['Patient/a.B-9/_history/3', { kind: 'relative', type: 'Patient', id: 'a.B-9', version: '3' }],
  [
    'https://x.example/fhir/acme/Patient/1',
    {
      kind: 'absolute',
      base: 'https://x.example/fhir/acme',
      type: 'Patient',
      id: '1',
      url: 'https://x.example/fhir/acme/Patient/1',
    },
  ],
  [
    'http://x.example/Patient/1/_history/2',
    {
      kind: 'absolute',
      base: 'http://x.example',
      type: 'Patient',
      id: '1',
      version: '2',
      url: 'http://x.example/Patient/1/_history/2',
    },
  ],
  ['urn:uuid:0f2b', { kind: 'urn', urn: 'urn:uuid:0f2b' }],
  ['URN:oid:1.2', { kind: 'urn', urn: 'URN:oid:1.2' }],
  ['#p1', { kind: 'fragment', id: 'p1' }],
  ['#', { kind: 'fragment', id: '' }],
  [
    'Patient?identifier=a|b&active=true',
    { kind: 'conditional', type: 'Patient', query: 'identifier=a|b&active=true' },
  ],
  ['Nothing/1', { kind: 'other', text: 'Nothing/1' }],
  ['Nothing?x=1', { kind: 'other', text: 'Nothing?x=1' }],
  ['constructor/1', { kind: 'other', text: 'constructor/1' }],
  ['Patient', { kind: 'other', text: 'Patient' }],
  ['Patient/', { kind: 'other', text: 'Patient/' }],
  ['/Patient/1', { kind: 'other', text: '/Patient/1' }],
  ['../Patient/1', { kind: 'other', text: '../Patient/1' }],
  ['//host/Patient/1', { kind: 'other', text: '//host/Patient/1' }],
  ['ftp://host/Patient/1', { kind: 'other', text: 'ftp://host/Patient/1' }],
  ['Patient/1\n', { kind: 'other', text: 'Patient/1\n' }],
  ['Patient/1/_history/', { kind: 'other', text: 'Patient/1/_history/' }],
  [`Patient/${'x'.repeat(65)}`, { kind: 'other', text: `Patient/${'x'.repeat(65)}` }],
  ['http://x.example/a?b/Patient/1', { kind: 'other', text: 'http://x.example/a?b/Patient/1' }],
  ['', { kind: 'other', text: '' }],
];

for (const [text, expected] of parsed) {
  test(`the reference ${JSON.stringify(text).slice(0, 60)} is read`, (t) => {
    t.deepEqual(parseReference(text), expected as ReturnType<typeof parseReference>);
  });
}

test('hostile references are read in linear time', (t) => {
  for (const text of [
    'http://' + '/Patient'.repeat(1e5),
    'http://x' + '/a/_history'.repeat(1e5),
    'a'.repeat(1e6),
  ])
    t.true(fastest(() => parseReference(text), 500) < 500);
});

test('ids have 1 to 64 letters, digits, dots and hyphens', (t) => {
  for (const id of ['1', 'a-b.C', 'x'.repeat(64)]) t.true(isResourceId(id));
  for (const id of ['', 'x'.repeat(65), 'a/b', '$export', 'a_b', 'é', 'a\n', 'a b'])
    t.false(isResourceId(id));
});

const observation: Resource = {
  resourceType: 'Observation',
  subject: { reference: 'Patient/1', display: 'Patient/9' },
  performer: [{ display: 'nobody' }, { reference: 'Practitioner/2' }],
  extension: [{ url: 'x', valueReference: { reference: 'Patient/1' } }],
  contained: [{ resourceType: 'Provenance', target: [{ reference: 'https://s.example/fhir/Group/3' }] }],
  derivedFrom: [{ reference: '#c' }, { reference: 'urn:uuid:1' }, { reference: 'Observation/4/_history/2' }],
};

test('every reference is visited, with its place', (t) => {
  const found: string[] = [];
  forEachReference(observation, ({ expression, text, holder }) => {
    t.is(holder.reference, text);
    found.push(`${expression} ${text}`);
  });
  t.deepEqual(found, [
    'Observation.subject Patient/1',
    'Observation.performer[1] Practitioner/2',
    'Observation.extension[0].valueReference Patient/1',
    'Observation.contained[0].target[0] https://s.example/fhir/Group/3',
    'Observation.derivedFrom[0] #c',
    'Observation.derivedFrom[1] urn:uuid:1',
    'Observation.derivedFrom[2] Observation/4/_history/2',
  ]);
});

test('of a Bundle what it says itself is visited, and none of its entries', (t) => {
  const entry = [{ resource: { resourceType: 'Basic', subject: { reference: 'Patient/1' } } }];
  const bundle = { resourceType: 'Bundle', entry, signature: { who: { reference: 'Practitioner/1' } } };
  t.deepEqual(
    collectLiteralReferences(bundle).map(({ expression }) => expression),
    ['Bundle.signature.who'],
  );
});

test('elements that are merely called reference are not visited', (t) => {
  const visit = () => t.fail();
  forEachReference({ resourceType: 'DetectedIssue', reference: 'Patient/1' }, visit);
  forEachReference({ resourceType: 'Immunization', education: [{ reference: 'Patient/1' }] }, visit);
  forEachReference(
    {
      resourceType: 'PlanDefinition',
      action: [{ condition: [{ expression: { language: 'text/cql', reference: 'Patient/1' } }] }],
    },
    visit,
  );
  t.pass();
});

test('literal references are distinct, and absolute ones count on our own base', (t) => {
  t.deepEqual(collectLiteralReferences(observation), [
    { type: 'Patient', id: '1', expression: 'Observation.subject' },
    { type: 'Practitioner', id: '2', expression: 'Observation.performer[1]' },
    { type: 'Observation', id: '4', expression: 'Observation.derivedFrom[2]' },
  ]);
  t.true(
    collectLiteralReferences(observation, 'https://s.example/fhir').some(({ type }) => type === 'Group'),
  );
  t.false(
    collectLiteralReferences(observation, 'https://s.example/fhir/other').some(
      ({ type }) => type === 'Group',
    ),
  );
});

const URN = 'urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a';
const replacements = new Map([
  [URN, 'Patient/7'],
  ['Patient?identifier=x', 'Patient/8'],
  ['http://x.example/Patient/old', 'Patient/9'],
]);

test('references of a transaction are replaced wherever they may stand', (t) => {
  const resource = {
    resourceType: 'DocumentReference',
    subject: { reference: URN },
    author: [
      { reference: 'Patient?identifier=x' },
      { reference: 'http://x.example/Patient/old' },
      { reference: 'Patient/1' },
    ],
    masterIdentifier: { system: URN, value: URN },
    description: URN,
    content: [{ attachment: { url: URN, title: URN, _url: { extension: [{ url: 'u', valueUri: URN }] } } }],
    extension: [
      { url: 'a', valueUuid: URN },
      { url: 'b', valueString: URN },
      { url: 'c', valueCanonical: URN },
      { url: 'd', valueReference: { reference: URN } },
    ],
    contained: [{ resourceType: 'Encounter', subject: { reference: URN } }],
    _description: { extension: [{ url: 'e', valueReference: { reference: URN } }] },
    text: {
      status: 'generated',
      div: `<div><a href="${URN}">${URN}</a><img src='${URN}'/><a href="#x"/></div>`,
    },
  };
  const before = structuredClone(resource);
  t.deepEqual(rewriteReferences(resource, replacements), {
    resourceType: 'DocumentReference',
    subject: { reference: 'Patient/7' },
    author: [{ reference: 'Patient/8' }, { reference: 'Patient/9' }, { reference: 'Patient/1' }],
    masterIdentifier: { system: 'Patient/7', value: URN },
    description: URN,
    content: [
      {
        attachment: {
          url: 'Patient/7',
          title: URN,
          _url: { extension: [{ url: 'u', valueUri: 'Patient/7' }] },
        },
      },
    ],
    extension: [
      { url: 'a', valueUuid: 'Patient/7' },
      { url: 'b', valueString: URN },
      { url: 'c', valueCanonical: 'Patient/7' },
      { url: 'd', valueReference: { reference: 'Patient/7' } },
    ],
    contained: [{ resourceType: 'Encounter', subject: { reference: 'Patient/7' } }],
    _description: { extension: [{ url: 'e', valueReference: { reference: 'Patient/7' } }] },
    text: {
      status: 'generated',
      div: `<div><a href="Patient/7">${URN}</a><img src="Patient/7"/><a href="#x"/></div>`,
    },
  });
  t.deepEqual(resource, before);
});

test('a resource with nothing to replace is returned as it is, and what is not touched is shared', (t) => {
  t.is(rewriteReferences(observation, replacements), observation);
  const rewritten = rewriteReferences({ ...observation, focus: [{ reference: URN }] }, replacements);
  t.is(rewritten.performer, observation.performer);
});

test('rewriting keeps number texts', (t) => {
  const source = `{"resourceType":"Observation","subject":{"reference":"${URN}"},"valueQuantity":{"value":1.00,"system":"${URN}"}}`;
  const rewritten = rewriteReferences(parseJson(source) as Resource, replacements);
  t.is(stringifyJson(rewritten), source.replaceAll(URN, 'Patient/7'));
});
