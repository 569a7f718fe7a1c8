import type { FhirResource } from 'fhir/r4.js';
import { UCUM_SYSTEM as UCUM } from '../../../src/fhir/ucum.js';
import { NON_PARTITIONABLE_TYPES } from '../../../src/model/partition.js';
import type { FhirClient } from '../support/fhir-client.js';
import { storeAll } from './stored.js';

const LOINC = 'http://loinc.org';
export const TYPES = 'http://terminology.hl7.org/CodeSystem/v2-0203';

const STORED: readonly FhirResource[] = [
  {
    resourceType: 'Patient',
    id: 'ann',
    identifier: [
      {
        system: 'urn:mrn',
        value: '7',
        type: { coding: [{ system: TYPES, code: 'MR' }], text: 'Medical record' },
      },
      { system: 'urn:ssn', value: '8', type: { coding: [{ system: TYPES, code: 'SS', display: 'Social' }] } },
    ],
    name: [{ family: 'van der Berg-Smith', given: ['Ann'] }],
    telecom: [{ system: 'phone', value: '555' }],
    active: true,
    meta: { source: 'http://acme.example/in#request-1', profile: ['http://acme.example/fhir/Patient|1.0'] },
  },
  {
    resourceType: 'Patient',
    id: 'bob',
    identifier: [{ system: 'urn:mrn', value: '8', type: { coding: [{ system: TYPES, code: 'SS' }] } }],
    name: [{ family: 'Smith', given: ['Bob'] }],
    active: false,
    meta: { source: 'http://acme.example/in', tag: [{ system: 'urn:tag', code: 't', display: 'A Tag' }] },
  },
  {
    resourceType: 'Condition',
    id: 'ache',
    subject: { reference: 'Patient/ann/_history/1' },
    code: { coding: [{ system: LOINC, code: '2', display: 'Headache, chronic' }], text: 'Kopfschmerz' },
    onsetRange: { low: { value: 5, system: UCUM, code: 'a' }, high: { value: 10, system: UCUM, code: 'a' } },
  },
  {
    resourceType: 'Condition',
    id: 'cold',
    subject: { reference: 'Patient/ann' },
    code: { text: 'Chronic cold' },
    onsetRange: { low: { value: 6, system: UCUM, code: 'a', unit: 'years' } },
  },
  {
    resourceType: 'Condition',
    id: 'far',
    subject: { identifier: { system: 'urn:mrn', value: '7' }, display: 'Ann' },
    onsetAge: { value: 60, system: UCUM, code: 'mo' },
  },
  {
    resourceType: 'RiskAssessment',
    id: 'risk',
    status: 'final',
    subject: { reference: 'Patient/ann' },
    prediction: [{ probabilityRange: { low: { value: 0.2 }, high: { value: 0.4 } } }],
  },
  {
    resourceType: 'RiskAssessment',
    id: 'sure',
    status: 'final',
    subject: { reference: 'Patient/bob' },
    prediction: [{ probabilityDecimal: 0.9 }],
  },
  { resourceType: 'ValueSet', id: 'one', status: 'active', url: 'http://acme.example/fhir/ValueSet/one' },
  { resourceType: 'ValueSet', id: 'two', status: 'active', url: 'http://acme.example/fhir/ValueSet/one/two' },
  {
    resourceType: 'ValueSet',
    id: 'near',
    status: 'active',
    url: 'http://acme.example/fhir/ValueSet/one-more',
  },
  {
    resourceType: 'QuestionnaireResponse',
    id: 'v12',
    status: 'completed',
    questionnaire: 'http://acme.example/q|1.2',
  },
  {
    resourceType: 'QuestionnaireResponse',
    id: 'v123',
    status: 'completed',
    questionnaire: 'http://acme.example/q|1.2.3',
  },
  {
    resourceType: 'QuestionnaireResponse',
    id: 'v',
    status: 'completed',
    questionnaire: 'http://acme.example/q',
  },
  {
    resourceType: 'Questionnaire',
    id: 'q',
    status: 'active',
    url: 'http://acme.example/q',
    version: '1.2',
    title: 'How are you?',
    identifier: [{ system: 'urn:q', value: '1' }],
  },
  { resourceType: 'Location', id: 'site' },
  { resourceType: 'Location', id: 'wing', partOf: { reference: 'Location/site' } },
  {
    resourceType: 'Location',
    id: 'room',
    partOf: { reference: 'Location/wing' },
    position: { latitude: 52.52, longitude: 13.405 },
  },
  { resourceType: 'Location', id: 'fiji', position: { latitude: -17, longitude: 179.99 } },
  { resourceType: 'Location', id: 'ring', partOf: { reference: 'Location/gnir' } },
  { resourceType: 'Location', id: 'gnir', partOf: { reference: 'Location/ring' } },
  encounter('in-wing', 'wing'),
  encounter('in-room', 'room'),
  encounter('in-site', 'site'),
  {
    resourceType: 'List',
    id: 'list',
    status: 'current',
    mode: 'working',
    entry: [{ item: { reference: 'Patient/ann' } }, { item: { reference: 'Location/site' } }],
  },
  { resourceType: 'Invoice', id: 'bill', status: 'issued', totalGross: { value: 12.5, currency: 'EUR' } },
];

function encounter(id: string, place: string): FhirResource {
  return {
    resourceType: 'Encounter',
    id,
    status: 'planned',
    class: { code: 'AMB' },
    subject: { reference: 'Patient/ann' },
    location: [{ location: { reference: `Location/${place}` } }],
  };
}

/** The same ids with nothing in them that a search of the other tenant could find. */
function bare({ resourceType, id }: FhirResource): FhirResource {
  const required = {
    Condition: { subject: { display: 'x' } },
    RiskAssessment: { status: 'final', subject: { display: 'x' } },
    ValueSet: { status: 'active' },
    Questionnaire: { status: 'active' },
    QuestionnaireResponse: { status: 'completed' },
    Encounter: {
      status: 'planned',
      class: { code: 'AMB' },
      location: [{ location: { reference: 'Location/site' } }],
    },
    List: { status: 'current', mode: 'working', entry: [{ item: { reference: 'Patient/bob' } }] },
    Invoice: { status: 'issued' },
  };
  const more = required[resourceType as keyof typeof required] ?? {};
  return { resourceType, id, ...more } as FhirResource;
}

function isPinned({ resourceType }: FhirResource): boolean {
  return NON_PARTITIONABLE_TYPES.has(resourceType);
}

/** Types of DEFAULT in a transaction of their own: DEFAULT may be in another place than the tenant. */
async function load(tenant: FhirClient, resources: readonly FhirResource[]): Promise<void> {
  await storeAll(tenant, resources.filter(isPinned));
  await storeAll(
    tenant,
    resources.filter((resource) => !isPinned(resource)),
  );
}

/** Stores what modifiers are tried on: in `acme`, and in `beta` the same ids with nothing to be found. */
export async function loadModifierWorld(client: FhirClient): Promise<void> {
  await load(client.tenant('beta'), STORED.map(bare));
  await load(client.tenant('acme'), STORED);
}
