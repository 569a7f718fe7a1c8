/** Resources that are right and wrong, with what is wrong with them. */

export interface WrongCase {
  readonly resource: unknown;
  /** Where the first issue is; empty for the resource as a whole. */
  readonly path: string;
  readonly code: string;
  /** `full`: only its invariants tell. */
  readonly mode: 'structure' | 'full';
  readonly severity: 'error' | 'warning';
}

const patient = (elements: object) => ({ resourceType: 'Patient', id: 'p1', ...elements });
const observation = (elements: object) => ({
  resourceType: 'Observation',
  id: 'o1',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '1-8' }] },
  ...elements,
});

const wrong = (path: string, code: string, resource: unknown): WrongCase => ({
  resource,
  path,
  code,
  mode: code === 'invariant' ? 'full' : 'structure',
  severity: 'error',
});

export const RIGHT: Readonly<Record<string, unknown>> = {
  'a minimal patient': patient({}),
  'a patient with names, telecom, address and contact': patient({
    active: true,
    name: [{ use: 'official', family: 'A', given: ['B', 'C'] }],
    gender: 'male',
    birthDate: '1980-02-29',
    address: [{ line: ['1 st'], city: 'X' }],
    telecom: [{ system: 'phone', value: '1' }],
    contact: [{ name: { family: 'Z' } }],
  }),
  'extensions on primitives and null in a list': patient({
    birthDate: '1980-01-01',
    _birthDate: { extension: [{ url: 'http://x.org/e', valueDateTime: '1980-01-01T10:00:00Z' }] },
    name: [
      { given: ['a', null], _given: [null, { extension: [{ url: 'http://x.org/n', valueCode: 'x' }] }] },
    ],
  }),
  'a primitive with an extension and no value': patient({
    _birthDate: {
      extension: [
        { url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' },
      ],
    },
  }),
  'an observation with value and component': observation({
    valueQuantity: { value: 1.5, unit: 'mg', system: 'http://unitsofmeasure.org', code: 'mg' },
    effectiveDateTime: '2020-01',
    subject: { reference: 'Patient/1' },
    component: [{ code: { text: 'c' }, valueString: 'x' }],
  }),
  'a contained resource': observation({
    contained: [{ resourceType: 'Patient', id: 'c1', name: [{ family: 'q' }] }],
    subject: { reference: '#c1' },
  }),
  'a transaction bundle': {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      {
        fullUrl: 'urn:uuid:0f2074a0-4173-1a32-988f-5316d7f1cbbe',
        resource: patient({}),
        request: { method: 'PUT', url: 'Patient/p1' },
      },
    ],
  },
  'nested questionnaire items': {
    resourceType: 'Questionnaire',
    status: 'active',
    item: [
      {
        linkId: '1',
        type: 'group',
        item: [{ linkId: '1.1', type: 'string', text: 'q', item: [{ linkId: '1.1.1', type: 'boolean' }] }],
      },
    ],
  },
  'partial dates and a choice': patient({
    birthDate: '1980',
    deceasedDateTime: '2020-05-06T10:00:00.123+05:30',
  }),
  'nested and modifier extensions': patient({
    extension: [{ url: 'http://x.org/a', extension: [{ url: 'b', valueBoolean: true }] }],
    modifierExtension: [{ url: 'http://x.org/m', valueString: 's' }],
  }),
  'a coding from a required value set': {
    resourceType: 'Condition',
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
    },
    subject: { reference: 'Patient/1' },
  },
  narrative: patient({
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">hi</div>' },
  }),
};

export const WRONG: Readonly<Record<string, WrongCase>> = {
  'an unknown element': wrong('Patient.foo', 'structure', patient({ foo: 1 })),
  'a number for a date': wrong('Patient.birthDate', 'structure', patient({ birthDate: 1980 })),
  'a date in month 13': wrong('Patient.birthDate', 'value', patient({ birthDate: '2020-13-45' })),
  'a missing status': wrong('Observation.status', 'required', {
    resourceType: 'Observation',
    code: { text: 'x' },
  }),
  'a gender that is none': wrong('Patient.gender', 'code-invalid', patient({ gender: 'xyz' })),
  'an array for a single value': wrong(
    'Patient.birthDate',
    'structure',
    patient({ birthDate: ['1980-01-01'] }),
  ),
  'a single value for an array': wrong('Patient.name', 'structure', patient({ name: { family: 'A' } })),
  'two values of one choice': wrong(
    'Observation.value',
    'structure',
    observation({ valueString: 'a', valueBoolean: true }),
  ),
  'a contact without details (pat-1)': wrong(
    'Patient.contact[0]',
    'invariant',
    patient({ contact: [{ gender: 'male' }] }),
  ),
  'an unknown resource type': wrong('', 'not-supported', { resourceType: 'Pateint' }),
  'a subject that is a medication': {
    ...wrong(
      'Observation.subject',
      'structure',
      observation({ subject: { reference: 'Medication/1', type: 'Medication' } }),
    ),
    severity: 'warning',
  },
  ...Object.fromEntries(
    [
      'Foo/1',
      'patient/1',
      'Patient',
      'Patient/',
      'Patient?',
      '/Patient/1',
      'acme/Patient/1',
      'see below',
    ].map((reference) => [
      `the reference "${reference}"`,
      wrong('Observation.subject.reference', 'value', observation({ subject: { reference } })),
    ]),
  ),
  'a reference in an extension': wrong(
    'Patient.extension[0].value.ofType(Reference).reference',
    'value',
    patient({ extension: [{ url: 'urn:x', valueReference: { reference: 'nowhere' } }] }),
  ),
  'an empty array': wrong('Patient.name', 'structure', patient({ name: [] })),
  null: wrong('Patient.name', 'structure', patient({ name: null })),
  'an id with a space': wrong('Patient.id', 'value', patient({ id: 'a b$' })),
  'an empty string': wrong('Patient.name[0].family', 'value', patient({ name: [{ family: '' }] })),
  'a decimal as a string': wrong(
    'Observation.value.ofType(Quantity).value',
    'structure',
    observation({ valueQuantity: { value: '1.5' } }),
  ),
  'a choice of no type': wrong('Observation.valueFoo', 'structure', observation({ valueFoo: 'a' })),
  'an extension without url': wrong(
    'Patient.extension[0].url',
    'required',
    patient({ extension: [{ valueString: 'x' }] }),
  ),
  'an unknown element in a backbone element': wrong(
    'Patient.contact[0].bogus',
    'structure',
    patient({ contact: [{ name: { family: 'a' }, bogus: 1 }] }),
  ),
  'an empty object': wrong('Patient.name[0]', 'structure', patient({ name: [{}] })),
  'an unknown element in a contained resource': wrong(
    'Observation.contained[0].foo',
    'structure',
    observation({ contained: [{ resourceType: 'Patient', id: 'c', foo: 1 }] }),
  ),
  'an instant without a time': wrong(
    'Patient.meta.lastUpdated',
    'value',
    patient({ meta: { lastUpdated: '2020-01-01' } }),
  ),
  'a script as narrative': wrong(
    'Patient.text.div',
    'value',
    patient({ text: { status: 'generated', div: '<script>alert(1)</script>' } }),
  ),
  'a value and a reason for its absence (obs-6)': wrong(
    'Observation',
    'invariant',
    observation({ valueString: 'a', dataAbsentReason: { text: 'x' } }),
  ),
  'a name use that is none': wrong(
    'Patient.name[0].use',
    'code-invalid',
    patient({ name: [{ use: 'wrong' }] }),
  ),
  'an unknown element in a bundle entry': wrong('Bundle.entry[0].resource.foo', 'structure', {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [{ resource: patient({ foo: 1 }), request: { method: 'PUT', url: 'Patient/p1' } }],
  }),
  'an extension with value and extensions': wrong(
    'Patient.extension[0]',
    'structure',
    patient({
      extension: [{ url: 'http://x', valueString: 'a', extension: [{ url: 'b', valueString: 'c' }] }],
    }),
  ),
  'a system with spaces': wrong(
    'Patient.identifier[0].system',
    'value',
    patient({ identifier: [{ system: 'not a uri with space', value: '1' }] }),
  ),
  'zero for a positiveInt': wrong('Appointment.minutesDuration', 'value', {
    resourceType: 'Appointment',
    status: 'booked',
    minutesDuration: 0,
    participant: [{ status: 'accepted', actor: { reference: 'Patient/1' } }],
  }),
  'a string for a boolean': wrong('Patient.active', 'structure', patient({ active: 'true' })),
  'an underscore property of a complex element': wrong(
    'Patient',
    'structure',
    patient({ _name: [{ id: 'x' }] }),
  ),
  '30 February': wrong('Patient.birthDate', 'value', patient({ birthDate: '2021-02-30' })),
  'a clinical status of no required code': wrong('Condition.clinicalStatus', 'code-invalid', {
    resourceType: 'Condition',
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'zzz' }],
    },
    subject: { reference: 'Patient/1' },
  }),
};
