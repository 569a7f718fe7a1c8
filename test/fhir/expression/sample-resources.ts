import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { packageRoot } from '../../../src/fhir/definitions.js';
import type { Bundle, Resource } from '../../../src/model/resource.js';

/** At most this many of one type, so that rare types count as much as observations. */
const PER_TYPE = 40;

/** A sample of synthetic patients' resources; empty where the data is not beside the repository. */
export function syntheaSample(): Resource[] {
  const folder = join(packageRoot(), '..', 'shared', 'data', 'synthea');
  if (!existsSync(folder)) return [];
  const counts = new Map<string, number>();
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.json.gz'))
    .slice(0, 8);
  return files
    .flatMap((name) => resourcesOf(join(folder, name)))
    .filter(({ resourceType }) => {
      const count = (counts.get(resourceType) ?? 0) + 1;
      counts.set(resourceType, count);
      return count <= PER_TYPE;
    });
}

function resourcesOf(file: string): Resource[] {
  const bundle = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')) as Bundle;
  return (bundle.entry ?? []).flatMap(({ resource }) => resource ?? []);
}

const patient = { reference: 'Patient/1' };
const code = { coding: [{ system: 'urn:c', code: 'x' }, { code: 'y' }], text: 'Text' };

/** Resources with the shapes that search parameters treat differently: choices, filters, indexes, backbones. */
export const SAMPLES: readonly Resource[] = [
  {
    resourceType: 'Patient',
    id: '1',
    meta: { tag: [{ system: 'urn:t', code: 'a' }], profile: ['urn:p'], source: 'urn:s' },
    active: true,
    name: [{ family: 'Ångström', given: ['Ann', 'Bea'] }, { text: 'Only text' }],
    telecom: [{ system: 'phone', value: '1' }, { system: 'email', value: 'a@b' }, { value: 'plain' }],
    address: [{ line: ['Street 1'], city: 'Town', use: 'home' }],
    deceasedDateTime: '2010-01-01',
    link: [{ other: { reference: 'RelatedPerson/2' }, type: 'seealso' }],
    generalPractitioner: [
      { reference: 'Practitioner/3' },
      { reference: 'https://other.example/fhir/Organization/4' },
    ],
  },
  { resourceType: 'Patient', id: '2', deceasedBoolean: false, gender: 'male', birthDate: '1970' },
  { resourceType: 'Patient', id: '3', deceasedBoolean: true },
  {
    resourceType: 'Observation',
    status: 'final',
    code,
    subject: patient,
    focus: [{ reference: 'Device/5' }],
    performer: [patient, { reference: 'Practitioner?identifier=1' }, { reference: '#x' }],
    effectivePeriod: { start: '2020-01' },
    valueQuantity: { value: 5, unit: 'mg', system: 'http://unitsofmeasure.org', code: 'mg' },
    component: [
      { code, valueQuantity: { value: 6 } },
      { code, valueString: 's' },
      { code, valueCodeableConcept: code },
    ],
  },
  {
    resourceType: 'Observation',
    status: 'final',
    code,
    subject: { reference: 'Group/1' },
    valueDateTime: '2020',
  },
  {
    resourceType: 'Observation',
    status: 'final',
    code,
    subject: { type: 'Patient', identifier: { value: 'i' } },
  },
  { resourceType: 'Condition', subject: patient, onsetAge: { value: 4 }, abatementString: 'later' },
  {
    resourceType: 'Condition',
    subject: patient,
    onsetRange: { low: { value: 1 } },
    abatementDateTime: '2011',
  },
  { resourceType: 'Condition', subject: patient, onsetPeriod: { start: '2001' }, abatementAge: { value: 9 } },
  {
    resourceType: 'Bundle',
    type: 'document',
    timestamp: '2020-01-01T00:00:00Z',
    entry: [
      { resource: { resourceType: 'Composition', id: 'c' } },
      { resource: { resourceType: 'Patient' } },
    ],
  },
  {
    resourceType: 'ConceptMap',
    status: 'draft',
    sourceUri: 'urn:v',
    targetCanonical: 'urn:w',
    group: [
      {
        source: 'urn:s',
        element: [{ code: 'a', target: [{ code: 'b', dependsOn: [{ property: 'urn:q' }] }] }],
      },
    ],
  },
  {
    resourceType: 'ActivityDefinition',
    status: 'draft',
    useContext: [
      { code: { code: 'age' }, valueRange: { low: { value: 3 } } },
      { code: { code: 'venue' }, valueCodeableConcept: code },
      { code: { code: 'focus' }, valueQuantity: { value: 7 } },
    ],
    relatedArtifact: [
      { type: 'depends-on', resource: 'urn:d' },
      { type: 'composed-of', resource: 'urn:e' },
    ],
    library: ['urn:lib'],
  },
  {
    resourceType: 'MedicationRequest',
    subject: patient,
    medicationCodeableConcept: code,
    dosageInstruction: [{ timing: { event: ['2020-01-01', '2020-03-01'] } }],
  },
  { resourceType: 'MedicationRequest', subject: patient, medicationReference: { reference: 'Medication/6' } },
  {
    resourceType: 'Appointment',
    status: 'booked',
    participant: [{ actor: patient }, { actor: { reference: 'Location/7' } }, { status: 'accepted' }],
  },
  {
    resourceType: 'RiskAssessment',
    status: 'final',
    subject: patient,
    prediction: [{ probabilityDecimal: 0.5 }, { probabilityRange: { high: { value: 2 } } }],
  },
  {
    resourceType: 'Goal',
    subject: patient,
    startDate: '2020-02-02',
    target: [{ dueDate: '2020-03-03' }, { dueDuration: { value: 1 } }],
  },
  {
    resourceType: 'Group',
    type: 'person',
    actual: true,
    characteristic: [
      { code, valueBoolean: true },
      { code, valueCodeableConcept: code },
    ],
    member: [{ entity: patient }],
  },
  {
    resourceType: 'CarePlan',
    subject: patient,
    activity: [
      { detail: { scheduledPeriod: { start: '2020' } } },
      { detail: { scheduledTiming: { event: ['2021'] } } },
      { detail: { scheduledString: 'daily' } },
    ],
  },
  {
    resourceType: 'Provenance',
    target: [patient, { reference: 'Observation/8' }],
    agent: [{ who: { reference: 'Device/9' } }],
  },
  {
    resourceType: 'Library',
    status: 'active',
    contentType: 'x',
    topic: [code],
    relatedArtifact: [{ type: 'predecessor', resource: 'urn:f' }],
  },
  {
    resourceType: 'Invoice',
    status: 'issued',
    totalGross: { value: 10, currency: 'EUR' },
    totalNet: { value: 9 },
    participant: [{ actor: patient, role: code }],
  },
  {
    resourceType: 'Questionnaire',
    status: 'active',
    item: [{ linkId: '1', code: [{ code: 'q' }], definition: 'urn:g' }],
  },
];
