import type {
  FhirResource,
  Observation,
  Organization,
  Patient,
  Period,
  Quantity,
  Reference,
  RiskAssessment,
} from 'fhir/r4.js';

/** A code with its system, as a resource has it. */
export interface Token {
  readonly system: string | undefined;
  readonly code: string | undefined;
}

/** What a search parameter finds in a resource, written down from the specification and not read from its files. */
export type Parameter =
  | { readonly kind: 'string' | 'uri'; readonly of: Values<string> }
  | { readonly kind: 'token'; readonly of: Values<Token> }
  | { readonly kind: 'date'; readonly of: Values<Period> }
  | { readonly kind: 'number'; readonly of: Values<number> }
  | { readonly kind: 'quantity'; readonly of: Values<Quantity> }
  /** Relative references; the empty text is one that names nothing. */
  | { readonly kind: 'reference'; readonly of: Values<string> };

type Values<T> = (resource: FhirResource) => readonly T[];
type Parameters = Readonly<Record<string, Parameter>>;

/** A list without its holes, or a list of the one value there may be. */
function list<T>(value: readonly (T | undefined)[] | T | undefined): T[] {
  const values = (Array.isArray(value) ? value : [value]) as readonly (T | undefined)[];
  return values.filter((one) => one !== undefined);
}

function moment(value: string | undefined): Period[] {
  return value === undefined ? [] : [{ start: value, end: value }];
}

function coded(system: string, code: string | undefined): Token[] {
  return code === undefined ? [] : [{ system, code }];
}

function target(reference: Reference | undefined): string[] {
  return reference === undefined ? [] : [reference.reference ?? ''];
}

const COMMON: Parameters = {
  _id: { kind: 'uri', of: ({ id }) => list(id) },
  _lastUpdated: { kind: 'date', of: ({ meta }) => moment(meta?.lastUpdated) },
  _tag: { kind: 'token', of: ({ meta }) => list(meta?.tag).map(({ system, code }) => ({ system, code })) },
  _profile: { kind: 'uri', of: ({ meta }) => list(meta?.profile) },
  _source: { kind: 'uri', of: ({ meta }) => list(meta?.source) },
};

const NAMES: Values<string> = (resource) =>
  list((resource as Patient).name).flatMap(({ family, given, text }) => [
    ...list(family),
    ...list(given),
    ...list(text),
  ]);
const ADDRESSES: Values<string> = (resource) =>
  list((resource as Patient).address).flatMap(({ line, city, postalCode }) => [
    ...list(line),
    ...list(city),
    ...list(postalCode),
  ]);

const PATIENT: Parameters = {
  ...COMMON,
  name: { kind: 'string', of: NAMES },
  family: { kind: 'string', of: (r) => list((r as Patient).name).flatMap(({ family }) => list(family)) },
  given: { kind: 'string', of: (r) => list((r as Patient).name).flatMap(({ given }) => list(given)) },
  address: { kind: 'string', of: ADDRESSES },
  'address-city': {
    kind: 'string',
    of: (r) => list((r as Patient).address).flatMap(({ city }) => list(city)),
  },
  identifier: {
    kind: 'token',
    of: (r) => list((r as Patient).identifier).map(({ system, value }) => ({ system, code: value })),
  },
  gender: {
    kind: 'token',
    of: (r) => coded('http://hl7.org/fhir/administrative-gender', (r as Patient).gender),
  },
  active: {
    kind: 'token',
    of: (r) => list((r as Patient).active).map((active) => ({ system: undefined, code: String(active) })),
  },
  birthdate: { kind: 'date', of: (r) => moment((r as Patient).birthDate) },
  organization: { kind: 'reference', of: (r) => target((r as Patient).managingOrganization) },
};

const QUANTITIES: Values<Quantity> = (resource) => {
  const { valueQuantity, component } = resource as Observation;
  return [...list(valueQuantity), ...list(component).flatMap((one) => list(one.valueQuantity))];
};

const OBSERVATION: Parameters = {
  ...COMMON,
  status: {
    kind: 'token',
    of: (r) => coded('http://hl7.org/fhir/observation-status', (r as Observation).status),
  },
  code: {
    kind: 'token',
    of: (r) => {
      const { coding } = (r as Observation).code;
      return (
        coding?.map(({ system, code }) => ({ system, code })) ?? [{ system: undefined, code: undefined }]
      );
    },
  },
  date: {
    kind: 'date',
    of: (r) => [...moment((r as Observation).effectiveDateTime), ...list((r as Observation).effectivePeriod)],
  },
  'value-quantity': { kind: 'quantity', of: (r) => list((r as Observation).valueQuantity) },
  'combo-value-quantity': { kind: 'quantity', of: QUANTITIES },
  'value-string': { kind: 'string', of: (r) => list((r as Observation).valueString) },
  subject: { kind: 'reference', of: (r) => target((r as Observation).subject) },
  patient: { kind: 'reference', of: (r) => target((r as Observation).subject) },
};

const RISK_ASSESSMENT: Parameters = {
  ...COMMON,
  probability: {
    kind: 'number',
    of: (r) => list((r as RiskAssessment).prediction).flatMap((one) => list(one.probabilityDecimal)),
  },
  subject: { kind: 'reference', of: (r) => target((r as RiskAssessment).subject) },
};

const ORGANIZATION: Parameters = {
  ...COMMON,
  name: { kind: 'string', of: (r) => list((r as Organization).name) },
  partof: { kind: 'reference', of: (r) => target((r as Organization).partOf) },
};

/** By resource type and code. */
export const PARAMETERS: Readonly<Record<string, Parameters>> = {
  Patient: PATIENT,
  Observation: OBSERVATION,
  RiskAssessment: RISK_ASSESSMENT,
  Organization: ORGANIZATION,
};

/** @throws Error for a code that the type does not have */
export function parameterOf(type: string, code: string): Parameter {
  const found = PARAMETERS[type]?.[code];
  if (found === undefined) throw new Error(`${type} has no ${code} here.`);
  return found;
}
