/** Contained resources that lead to another one beside them, and out. */
export const CONTAINING = {
  resourceType: 'DiagnosticReport',
  id: 'report',
  status: 'final',
  code: { text: 'x' },
  subject: { reference: '#patient' },
  result: [{ reference: '#part' }],
  contained: [
    {
      resourceType: 'Patient',
      id: 'patient',
      gender: 'male',
      generalPractitioner: [{ reference: '#doctor' }],
      managingOrganization: { reference: 'Organization/o1' },
    },
    { resourceType: 'Practitioner', id: 'doctor', name: [{ family: 'Oka' }] },
    {
      resourceType: 'Observation',
      id: 'part',
      status: 'final',
      code: { text: 'x' },
      component: [{ code: { coding: [{ code: 'sys' }] }, valueQuantity: { value: 120 } }],
    },
  ],
};

/** Chains into what it contains, and searches of that alone. */
export const CONTAINED_SEARCHES = [
  'DiagnosticReport?subject:Patient.gender=male&code:text=x',
  'DiagnosticReport?patient.general-practitioner.name=oka',
  'DiagnosticReport?patient.organization.name=clinic',
  'DiagnosticReport?result.component-code-value-quantity=sys$120',
  'Patient?_contained=true&gender=male,female&organization.name:missing=false',
  'Patient?_contained=both&gender:not=female&_containedType=contained&_count=1&_total=accurate',
  'Observation?_contained=both&component-code-value-quantity=sys$120&_include=DiagnosticReport:patient',
];
