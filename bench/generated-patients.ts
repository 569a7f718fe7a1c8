import type { Resource } from '../src/model/resource.js';
import type { PatientRecord } from './corpus.js';

const OBSERVATIONS_OF_ONE = 120;
const LOINC = 'http://loinc.org';
const UCUM = 'http://unitsofmeasure.org';

const MEASUREMENTS = [
  { code: '8302-2', display: 'Body Height', unit: 'cm', low: 140, high: 200 },
  { code: '29463-7', display: 'Body Weight', unit: 'kg', low: 40, high: 130 },
  { code: '8867-4', display: 'Heart rate', unit: '/min', low: 50, high: 110 },
  { code: '2339-0', display: 'Glucose', unit: 'mg/dL', low: 60, high: 200 },
  { code: '4548-4', display: 'Hemoglobin A1c', unit: '%', low: 4, high: 9 },
] as const;

/** Records in the shape of Synthea's, always the same ones. */
export function generatePatients(count: number): PatientRecord[] {
  return Array.from({ length: count }, (_, number) => generateRecord(number));
}

/** One record; `number` is below 65,536. */
export function generateRecord(number: number): Resource[] {
  const record = [patientOf(number)];
  for (let at = 0; at < OBSERVATIONS_OF_ONE; at++) {
    if (at % 6 === 0) record.push(encounterOf(number, at));
    record.push(observationOf(number, at));
    if (at % 12 === 0) record.push(conditionOf(number, at));
  }
  return record;
}

function patientOf(number: number): Resource {
  const names = ['Abel', 'Berta', 'Carla', 'Dirk', 'Edda', 'Finn'];
  const text = `Generated for benchmarks. ${'One of many lines of narrative. '.repeat(40)}`;
  return {
    resourceType: 'Patient',
    id: idOf('p', number, 0),
    text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${text}</div>` },
    identifier: ['urn:example:mrn', 'urn:example:ssn'].map((system) => ({
      system,
      value: `${system}-${number}`,
    })),
    active: true,
    name: [
      {
        use: 'official',
        family: `Family${number}`,
        given: [names[number % names.length]!, 'Q'],
        prefix: ['Dr.'],
      },
    ],
    telecom: [{ system: 'phone', value: `555-${1000 + number}`, use: 'home' }],
    gender: number % 2 === 0 ? 'female' : 'male',
    birthDate: `19${10 + (number % 90)}-0${1 + (number % 9)}-1${number % 10}`,
    address: [
      {
        line: [`${number} Main Street`],
        city: 'Springfield',
        state: 'Massachusetts',
        postalCode: '01103',
        country: 'US',
      },
    ],
    communication: [
      {
        language: {
          coding: [{ system: 'urn:ietf:bcp:47', code: 'en-US', display: 'English' }],
          text: 'English',
        },
      },
    ],
  };
}

function encounterOf(number: number, at: number): Resource {
  return {
    resourceType: 'Encounter',
    id: idOf('e', number, at),
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    type: [
      {
        coding: [{ system: 'http://snomed.info/sct', code: '185349003', display: 'Check up' }],
        text: 'Check up',
      },
    ],
    subject: { reference: `urn:uuid:${idOf('p', number, 0)}` },
    period: { start: timeOf(at), end: timeOf(at + 1) },
  };
}

function observationOf(number: number, at: number): Resource {
  const { code, display, unit, low, high } = MEASUREMENTS[at % MEASUREMENTS.length]!;
  const value = low + ((number * 31 + at * 17) % (high - low));
  return {
    resourceType: 'Observation',
    id: idOf('o', number, at),
    status: 'final',
    category: [
      {
        coding: [
          { system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' },
        ],
      },
    ],
    code: { coding: [{ system: LOINC, code, display }], text: display },
    subject: { reference: `urn:uuid:${idOf('p', number, 0)}` },
    encounter: { reference: `urn:uuid:${idOf('e', number, at - (at % 6))}` },
    effectiveDateTime: timeOf(at),
    issued: timeOf(at),
    valueQuantity: { value, unit, system: UCUM, code: unit },
  };
}

function conditionOf(number: number, at: number): Resource {
  return {
    resourceType: 'Condition',
    id: idOf('c', number, at),
    clinicalStatus: statusOf('condition-clinical'),
    verificationStatus: statusOf('condition-ver-status'),
    code: {
      coding: [{ system: 'http://snomed.info/sct', code: '444814009', display: 'Viral sinusitis' }],
      text: 'Viral sinusitis',
    },
    subject: { reference: `urn:uuid:${idOf('p', number, 0)}` },
    encounter: { reference: `urn:uuid:${idOf('e', number, at)}` },
    onsetDateTime: timeOf(at),
  };
}

function idOf(kind: string, number: number, at: number): string {
  return `00000000-${hex(number)}-4000-8000-${hex(at)}000000${kind.charCodeAt(0).toString(16)}`;
}

function timeOf(at: number): string {
  return new Date(Date.UTC(2015, 0, 1) + at * 9 * 86_400_000).toISOString();
}

/** A status of a Condition: `active` or `confirmed`. */
function statusOf(name: 'condition-clinical' | 'condition-ver-status') {
  const code = name === 'condition-clinical' ? 'active' : 'confirmed';
  return { coding: [{ system: `http://terminology.hl7.org/CodeSystem/${name}`, code }] };
}

function hex(value: number): string {
  return value.toString(16).padStart(4, '0');
}
