import fc from 'fast-check';
import type { Sent } from '../support/fhir-client.js';

/** One request of a generated program. It knows nothing of the tenant that sends it but the canary. */
export interface Step {
  readonly method: string;
  /** Below the tenant's base; `<next>` and `<created>` stand for the last such URL that the tenant was given. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The body as JSON, with `<canary>` for the tenant's own text. */
  readonly body?: string;
}

const JSON_PATCH = { 'content-type': 'application/json-patch+json' };

/** Few ids and values, so that tenants, and steps of one tenant, meet. */
const id = fc.constantFrom('a', 'b', 'c');
const family = fc.constantFrom('Okafor', 'Ng', 'Ångström');
const mrn = fc.constantFrom('1', '2', '3');
const gender = fc.constantFrom('male', 'female', 'other');
const version = fc.integer({ min: 1, max: 4 });
const type = fc.constantFrom('Patient', 'Observation', 'Group');

const patient = fc.record({ family, mrn, gender }).map((content) => ({
  resourceType: 'Patient',
  meta: { tag: [{ system: 'urn:tag', code: content.gender }] },
  identifier: [{ system: 'urn:mrn', value: content.mrn }],
  name: [{ family: content.family }],
  gender: content.gender,
  contact: [{ name: { text: '<canary>' } }],
}));

const observation = fc
  .record({ id, value: fc.integer({ min: 0, max: 9 }) })
  .map(({ id: subject, value }) => ({
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'urn:code', code: 'weight' }] },
    subject: { reference: `Patient/${subject}` },
    valueQuantity: { value, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
    note: [{ text: '<canary>' }],
  }));

const group = fc.record({ gender }).map(() => ({
  resourceType: 'Group',
  type: 'person',
  actual: false,
  characteristic: [{ code: { text: '<canary>' }, valueBoolean: true, exclude: false }],
}));

const resource = fc.oneof(patient, observation, group);

function step(method: string, path: string, content?: object, headers?: Step['headers']): Step {
  const body = content === undefined ? {} : { body: JSON.stringify(content) };
  return { method, path, ...body, ...(headers === undefined ? {} : { headers }) };
}

const read = fc.oneof(
  fc.tuple(type, id).map(([t, i]) => step('GET', `${t}/${i}`)),
  fc.tuple(type, id).map(([t, i]) => step('HEAD', `${t}/${i}`)),
  fc
    .tuple(type, id, version)
    .map(([t, i, v]) => step('GET', `${t}/${i}`, undefined, { 'if-none-match': `W/"${v}"` })),
  fc.tuple(type, id, version).map(([t, i, v]) => step('GET', `${t}/${i}/_history/${v}`)),
  fc.tuple(type, id).map(([t, i]) => step('GET', `${t}/${i}/_history?_count=2`)),
  type.map((t) => step('GET', `${t}/_history?_count=3`)),
  fc.constant(step('GET', '_history?_count=4')),
  fc.tuple(type, id).map(([t, i]) => step('GET', `${t}/${i}/$meta`)),
  fc.tuple(type, id).map(([t, i]) => step('GET', `${t}/${i}/$validate`)),
  type.map((t) => step('GET', `${t}/$meta`)),
  fc.constant(step('GET', '$meta')),
  fc.constant(step('GET', '<next>')),
  fc.constant(step('GET', '<created>')),
);

const search = fc.oneof(
  fc
    .tuple(family, fc.constantFrom('', ':exact', ':contains'))
    .map(([f, m]) => `Patient?family${m}=${encodeURIComponent(f)}`),
  mrn.map((m) => `Patient?identifier=urn:mrn|${m}&_revinclude=Observation:subject`),
  fc
    .tuple(gender, fc.constantFrom('_id', '-_id', 'family', '-_lastUpdated'))
    .map(([g, s]) => `Patient?gender=${g}&_sort=${s}&_count=2`),
  gender.map((g) => `Patient?_tag=urn:tag|${g}&_total=accurate&_count=1`),
  id.map((i) => `Patient?_id=${i},b&_elements=name`),
  id.map((i) => `Observation?subject=Patient/${i}&_include=Observation:subject`),
  family.map((f) => `Observation?patient.name=${encodeURIComponent(f)}&_count=1`),
  fc
    .integer({ min: 0, max: 9 })
    .map((v) => `Observation?value-quantity=ge${v * 1000}|http://unitsofmeasure.org|g`),
  type.map((t) => `${t}?_summary=count`),
  type.map((t) => `${t}?_count=2`),
);

const write = fc.oneof(
  resource.map((r) => step('POST', r.resourceType, r)),
  fc
    .tuple(patient, mrn)
    .map(([r, m]) => step('POST', 'Patient', r, { 'if-none-exist': `identifier=urn:mrn|${m}` })),
  fc.tuple(resource, id).map(([r, i]) => step('PUT', `${r.resourceType}/${i}`, { ...r, id: i })),
  fc
    .tuple(patient, id, version)
    .map(([r, i, v]) => step('PUT', `Patient/${i}`, { ...r, id: i }, { 'if-match': `W/"${v}"` })),
  fc.tuple(patient, mrn).map(([r, m]) => step('PUT', `Patient?identifier=urn:mrn|${m}`, r)),
  fc
    .tuple(id, gender)
    .map(([i, g]) => step('PATCH', `Patient/${i}`, [{ op: 'add', path: '/gender', value: g }], JSON_PATCH)),
  fc
    .tuple(mrn, gender)
    .map(([m, g]) =>
      step(
        'PATCH',
        `Patient?identifier=urn:mrn|${m}`,
        [{ op: 'add', path: '/gender', value: g }],
        JSON_PATCH,
      ),
    ),
  fc.tuple(type, id).map(([t, i]) => step('DELETE', `${t}/${i}`)),
  mrn.map((m) => step('DELETE', `Patient?identifier=urn:mrn|${m}`)),
  fc.tuple(id, gender).map(([i, g]) =>
    step('POST', `Patient/${i}/$meta-add`, {
      resourceType: 'Parameters',
      parameter: [{ name: 'meta', valueMeta: { tag: [{ system: 'urn:tag', code: g }] } }],
    }),
  ),
);

const single = fc.oneof(
  { weight: 4, arbitrary: write },
  { weight: 3, arbitrary: read },
  { weight: 3, arbitrary: search.map((path) => step('GET', path)) },
);

/** Steps that mean the same inside of a bundle. */
function entriesOf(steps: fc.Arbitrary<Step>): fc.Arbitrary<readonly object[]> {
  const plain = steps.filter(
    ({ path, method, headers }) => !path.startsWith('<') && method !== 'PATCH' && headers === undefined,
  );
  return fc.array(plain.map(toEntry), { minLength: 1, maxLength: 4 });
}

/** Entries of a batch run side by side, so only reads have one answer there. */
const bundle = fc.oneof(
  entriesOf(read).map((entry) => step('POST', '', { resourceType: 'Bundle', type: 'batch', entry })),
  entriesOf(single).map((entry) => step('POST', '', { resourceType: 'Bundle', type: 'transaction', entry })),
);

function toEntry({ method, path, body }: Step): object {
  const content = body === undefined ? {} : { resource: JSON.parse(body) as unknown };
  return { ...content, request: { method, url: path } };
}

/** What one tenant does, one step after the other. */
export function programOf(length: {
  readonly minLength: number;
  readonly maxLength: number;
}): fc.Arbitrary<readonly Step[]> {
  return fc.array(fc.oneof({ weight: 6, arbitrary: single }, { weight: 1, arbitrary: bundle }), length);
}

/** The request that a tenant sends for a step. */
export function toSent({ headers = {}, body }: Step, canary: string): Sent {
  return { headers, ...(body === undefined ? {} : { body: body.replaceAll('<canary>', canary) }) };
}
