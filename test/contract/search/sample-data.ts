import type {
  Bundle,
  FhirResource,
  Observation,
  Organization,
  Patient,
  Quantity,
  RiskAssessment,
} from 'fhir/r4.js';
import type { Random } from './random.js';

export const UCUM = 'http://unitsofmeasure.org';
const FAMILIES = [
  'Núñez',
  'Nunez',
  'NUÑEZ',
  'Mc,Donald',
  "O'Brien",
  'Pipe|Bar',
  'a%b',
  'back\\slash',
  'Smith Jones',
];
const GIVEN = ['José', 'Jose', 'Ma$k', 'Åsa', 'Émile', '李', '😀', 'a_b', 'Ann-Marie'];
const CITIES = ['São Paulo', 'Sao Paulo', 'Zürich', 'Bergen'];
const DATES = [
  '2020',
  '2020-02',
  '2020-02-29',
  '2020-02-29T23:30:00Z',
  '2020-02-29T23:30:00-05:00',
  '2020-03-01T00:00:00+14:00',
  '2020-02-29T23:59:59.999Z',
  '2021-01-01',
  '1899-12-31',
  '0001-01-01',
  '9999-12-31',
] as const;
const AMOUNTS: readonly Quantity[] = [
  ucum(5.4, 'mg'),
  ucum(0.0054, 'g'),
  ucum(5400, 'ug'),
  ucum(5.45, 'mg'),
  ucum(5.35, 'mg'),
  ucum(-5.4, 'mg'),
  ucum(7.4, '[pH]'),
  ucum(6.8, '[pH]'),
  ucum(3, '{score}'),
  ucum(50, '%'),
  { value: 5.4, unit: 'mg' },
  { value: 5.4 },
  { value: 5.4, unit: 'tablet', system: 'http://forms.example', code: 'TAB' },
];
const PROBABILITIES = [0.5, 0.49, 1, 100, 99.5, 100.5, 5, 0.001];

/** Two tenants get resources of the same ids and identifiers, and of different content. */
export function sampleBundle(random: Random): Bundle {
  const resources: FhirResource[] = [
    ...times(5, (n) => organization(n, random)),
    ...times(24, (n) => patient(n, random)),
    ...times(70, (n) => observation(n, random)),
    ...times(14, (n) => riskAssessment(n, random)),
  ];
  const entry = resources.map((resource) => ({
    resource,
    request: { method: 'PUT' as const, url: `${resource.resourceType}/${resource.id}` },
  }));
  return { resourceType: 'Bundle', type: 'transaction', entry };
}

function organization(n: number, random: Random): Organization {
  return {
    resourceType: 'Organization',
    id: `org${n}`,
    name: random.pick(['Ácme Widgets', 'acme', 'Other']),
    ...(n > 0 ? { partOf: { reference: `Organization/org${random.below(n)}` } } : {}),
  };
}

function patient(n: number, random: Random): Patient {
  return {
    resourceType: 'Patient',
    id: `p${n}`,
    meta: {
      tag: [random.pick([{ system: 'urn:tag', code: 'a' }, { code: 'a' }, { system: 'urn:tag', code: 'b' }])],
      profile: [random.pick(['http://x.example/profile', 'http://x.example/profile/more'])],
      source: random.pick(['http://lab.example', 'http://ward.example']),
    },
    identifier: [
      { system: 'urn:mrn', value: `m${n}` },
      { value: `m${n + 1}` },
      { system: 'urn:x|y', value: 'c,d$e' },
    ],
    name: [
      { family: random.pick(FAMILIES), given: [random.pick(GIVEN)] },
      { text: `Called ${random.pick(GIVEN)}` },
    ],
    ...(random.once(3) ? {} : { gender: random.pick(['male', 'female', 'other'] as const) }),
    ...(random.once(4) ? {} : { birthDate: random.pick(['1980', '1980-05', '1980-05-17', '1979-12-31']) }),
    ...(random.once(2) ? {} : { active: random.once(2) }),
    address: [{ line: [`${n} Main St.`], city: random.pick(CITIES), postalCode: `0${n}` }],
    ...(random.once(3) ? {} : { managingOrganization: { reference: `Organization/org${random.below(5)}` } }),
  };
}

function observation(n: number, random: Random): Observation {
  const coding = { system: random.pick(['http://loinc.org', 'urn:local']), code: `c${random.below(4)}` };
  return {
    resourceType: 'Observation',
    id: `o${n}`,
    status: random.pick(['final', 'amended'] as const),
    code: random.once(6) ? { text: 'c1' } : { coding: [coding, { code: `c${random.below(4)}` }] },
    ...(random.once(8) ? {} : { subject: { reference: `Patient/p${random.below(24)}` } }),
    ...effective(random),
    ...value(random),
  };
}

function effective(random: Random): Partial<Observation> {
  switch (random.below(5)) {
    case 0:
      return {};
    case 1:
      return { effectivePeriod: { start: random.pick(DATES.slice(0, 7)) } };
    case 2:
      return { effectivePeriod: { end: random.pick(DATES.slice(0, 7)) } };
    default:
      return { effectiveDateTime: random.pick(DATES) };
  }
}

function value(random: Random): Partial<Observation> {
  switch (random.below(6)) {
    case 0:
      return {};
    case 1:
      return { valueString: random.pick(['Héllo World', 'hello', 'HELLO, you']) };
    case 2:
      return { component: [{ code: { text: 'part' }, valueQuantity: random.pick(AMOUNTS) }] };
    default:
      return { valueQuantity: random.pick(AMOUNTS) };
  }
}

function riskAssessment(n: number, random: Random): RiskAssessment {
  return {
    resourceType: 'RiskAssessment',
    id: `r${n}`,
    status: 'final',
    subject: random.once(5) ? { display: 'Somebody' } : { reference: `Patient/p${random.below(24)}` },
    ...(random.once(4)
      ? {}
      : { prediction: random.some(2, () => ({ probabilityDecimal: random.pick(PROBABILITIES) })) }),
  };
}

function ucum(amount: number, code: string): Quantity {
  return { value: amount, unit: code, system: UCUM, code };
}

function times<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}
