import type { FhirResource, GroupCharacteristic } from 'fhir/r4.js';
import type { FhirClient } from '../support/fhir-client.js';
import { idsFound, storeAll } from './stored.js';

export const DISEASES = 'http://acme.example/diseases';
export const PAINS = 'http://acme.example/pains';
const UCUM = 'http://unitsofmeasure.org';

const DEFINITIONS: readonly FhirResource[] = [
  {
    resourceType: 'CodeSystem',
    id: 'diseases',
    url: DISEASES,
    status: 'active',
    content: 'complete',
    hierarchyMeaning: 'is-a',
    concept: [
      { code: 'disease', concept: [{ code: 'pain', concept: [{ code: 'headache' }] }, { code: 'cold' }] },
    ],
  },
  {
    resourceType: 'ValueSet',
    id: 'pains',
    url: PAINS,
    status: 'active',
    compose: { include: [{ system: DISEASES, concept: [{ code: 'pain' }, { code: 'headache' }] }] },
  },
];

const STORED: readonly FhirResource[] = [
  { resourceType: 'Organization', id: 'clinic', name: 'Clinic of the North', active: true },
  { resourceType: 'Organization', id: 'office', name: 'Office', active: false },
  {
    resourceType: 'Patient',
    id: 'peter',
    name: [{ family: 'Núñez', given: ['Peter', 'Max'] }],
    gender: 'male',
    birthDate: '2014-10-10',
    identifier: [{ system: 'urn:mrn', value: '1' }],
    managingOrganization: { reference: 'Organization/clinic' },
    meta: { profile: ['http://acme.example/p1', 'http://acme.example/p2'] },
  },
  {
    resourceType: 'Patient',
    id: 'petra',
    name: [{ family: 'Smith', given: ['Petra'] }],
    gender: 'female',
    birthDate: '2014-10',
    identifier: [
      { system: 'urn:mrn', value: '2' },
      { system: 'urn:ssn', value: '1' },
    ],
    managingOrganization: { reference: 'Organization/office' },
    meta: { profile: ['http://acme.example/p1'] },
  },
  { resourceType: 'Patient', id: 'sam', name: [{ family: 'Smith-Peters' }], birthDate: '1970-01-01' },
  { resourceType: 'Patient', id: 'nobody' },
  observation('head', 'headache', 'peter', { value: 5.4, unit: 'mg', system: UCUM, code: 'mg' }),
  observation('pain', 'pain', 'petra', { value: 7, unit: 'g', system: UCUM, code: 'g' }),
  observation('cold', 'cold', 'sam', undefined),
  {
    resourceType: 'Observation',
    id: 'text',
    status: 'final',
    code: { text: 'something' },
    hasMember: [{ reference: 'Observation/head' }],
    effectivePeriod: { start: '2020-01-01', end: '2020-12-31' },
  },
  document('first', []),
  document('second', [
    ['replaces', 'first'],
    ['signs', 'third'],
  ]),
  document('third', [
    ['signs', 'first'],
    ['transforms', 'second'],
  ]),
  {
    resourceType: 'Group',
    id: 'group',
    type: 'person',
    actual: false,
    characteristic: [trait('eyes', 'blue'), trait('hair', 'brown')],
  },
  {
    resourceType: 'RiskAssessment',
    id: 'risk',
    status: 'final',
    subject: { reference: 'Patient/peter' },
    prediction: [{ probabilityDecimal: 0.4 }],
  },
];

function document(
  id: string,
  links: readonly (readonly ['replaces' | 'signs' | 'transforms', string])[],
): FhirResource {
  const relatesTo = links.map(([code, target]) => ({
    code,
    target: { reference: `DocumentReference/${target}` },
  }));
  return {
    resourceType: 'DocumentReference',
    id,
    status: 'current',
    content: [{ attachment: { title: id } }],
    ...(links.length === 0 ? {} : { relatesTo }),
  };
}

function trait(code: string, value: string): GroupCharacteristic {
  return {
    code: { coding: [{ system: 'urn:traits', code }] },
    valueCodeableConcept: { coding: [{ system: 'urn:traits', code: value }] },
    exclude: false,
  };
}

function observation(
  id: string,
  code: string,
  patient: string,
  valueQuantity: { value: number; unit: string; system: string; code: string } | undefined,
): FhirResource {
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { coding: [{ system: DISEASES, code }] },
    subject: { reference: `Patient/${patient}` },
    effectiveDateTime: '2020-06-15',
    ...(valueQuantity ? { valueQuantity } : {}),
  };
}

/** Stores what filters are tried on: in DEFAULT, in one tenant, and the like of some of it in another. */
export async function loadFilterWorld(client: FhirClient): Promise<void> {
  await storeAll(client.tenant('DEFAULT'), DEFINITIONS);
  await storeAll(client.tenant('beta'), [
    { resourceType: 'Organization', id: 'clinic', name: 'Elsewhere' },
    {
      resourceType: 'Patient',
      id: 'peter',
      name: [{ given: ['Foreign'] }],
      managingOrganization: { reference: 'Organization/clinic' },
    },
  ]);
  await storeAll(client.tenant('acme'), STORED);
}

/** The search with the filter as a URL has it. */
export function query(type: string, filter: string, more = ''): string {
  return `${type}?${new URLSearchParams([['_filter', filter]])}${more}`;
}

/** What `idsFound` says of a filter. */
export function find(tenant: FhirClient, type: string, filter: string, more = ''): Promise<string> {
  return idsFound(tenant, query(type, filter, more));
}
