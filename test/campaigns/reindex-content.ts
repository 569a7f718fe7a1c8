import type { SearchParameter } from 'fhir/r4.js';
import type { Bundle, Resource } from '../../src/model/resource.js';
import { request } from './move-client.js';

const OBSERVATIONS_OF_A_PATIENT = 4;
const IN_A_BUNDLE = 100;
const BUNDLES_AT_ONCE = 4;
const HOMES = 50;
const COLOURS = ['red', 'green', 'blue', 'Schwarz', 'größer'];

/** Kinds of values that the new parameters are about: suffix of the extension, and the FHIR type of its value. */
const KINDS = {
  string: 'string',
  token: 'code',
  number: 'integer',
  date: 'date',
  quantity: 'Quantity',
  uri: 'uri',
  reference: 'Reference',
} as const;

const urlOf = (kind: string): string => `http://example.org/reindex/${kind}`;

/** Parameters on extensions, one of every simple kind, for patients and for observations; and a composite one. */
export function parameters(): readonly SearchParameter[] {
  const simple = ['Patient', 'Observation'].flatMap((base) =>
    Object.entries(KINDS).map(([kind, type]) =>
      parameterOf(base, kind, {
        type: kind as SearchParameter['type'],
        expression: `${base}.extension('${urlOf(kind)}').value.ofType(${type})`,
      }),
    ),
  );
  const parts = ['relationship', 'gender'].map((element) =>
    parameterOf('Patient', element, { type: 'token', expression: `Patient.contact.${element}` }),
  );
  const component = parts.map(({ url, name }) => ({
    definition: url,
    expression: name.slice('Patient'.length),
  }));
  const composite = { type: 'composite', expression: 'Patient.contact', component } as const;
  return [...simple, ...parts, parameterOf('Patient', 'contact', composite)];
}

function parameterOf(
  base: string,
  kind: string,
  more: Pick<SearchParameter, 'type' | 'expression' | 'component'>,
): SearchParameter {
  return {
    resourceType: 'SearchParameter',
    url: `${urlOf(kind)}/${base}`,
    name: `${base}${kind}`,
    status: 'active',
    description: `Finds ${kind}`,
    code: `x-${kind}`,
    base: [base as 'Patient'],
    ...more,
  };
}

/** Searches by what the new parameters find, and by what was found before. */
export const SEARCHES = [
  ...['Patient', 'Observation'].flatMap((type) => [
    `${type}?x-string=r`,
    `${type}?x-token=c3`,
    `${type}?x-number=gt40`,
    `${type}?x-date=ge2021-02`,
    `${type}?x-quantity=gt2000|http://unitsofmeasure.org|g`,
    `${type}?x-uri=http://example.org/u7`,
    `${type}?x-reference=Organization/h7`,
    `${type}?x-reference:missing=true`,
    `${type}?x-reference:Organization.name=home1`,
  ]),
  'Patient?x-contact=r3$female',
  'Patient?family=family1',
  'Observation?subject:Patient.x-string=blue',
  'Organization?_has:Patient:x-reference:x-number=lt5',
];

/** About `count` resources. */
export function* resourcesOf(count: number): Iterable<Resource> {
  for (let number = 0; number < HOMES; number++)
    yield { resourceType: 'Organization', id: `h${number}`, name: `Home${number}` };
  for (let number = 0; number < count / (OBSERVATIONS_OF_A_PATIENT + 1); number++) {
    yield patient(number, number);
    for (let part = 0; part < OBSERVATIONS_OF_A_PATIENT; part++) {
      yield {
        resourceType: 'Observation',
        id: `o${number}-${part}`,
        status: 'final',
        code: { coding: [{ system: 'urn:codes', code: `c${part}` }] },
        subject: { reference: `Patient/p${number}` },
        ...(part === 0 ? { extension: extensions(number + part) } : {}),
      };
    }
  }
}

/** A patient whose values follow from `seed`. */
export function patient(number: number, seed: number): Resource {
  return {
    resourceType: 'Patient',
    id: `p${number}`,
    name: [{ family: `Family${number % 97}` }],
    identifier: [{ system: 'urn:x', value: `p${number}` }],
    contact: [contact(seed, 'female'), contact(seed + 3, 'male')],
    extension: extensions(seed),
  };
}

function contact(seed: number, gender: string): object {
  return { relationship: [{ coding: [{ system: 'urn:relations', code: `r${seed % 7}` }] }], gender };
}

function extensions(seed: number): readonly object[] {
  const value = [
    { url: urlOf('string'), valueString: COLOURS[seed % COLOURS.length] },
    { url: urlOf('token'), valueCode: `c${seed % 9}` },
    { url: urlOf('number'), valueInteger: seed % 50 },
    { url: urlOf('date'), valueDate: `2021-0${(seed % 9) + 1}-03` },
    {
      url: urlOf('quantity'),
      valueQuantity: { value: seed % 7, system: 'http://unitsofmeasure.org', code: 'kg' },
    },
    { url: urlOf('uri'), valueUri: `http://example.org/u${seed % 11}` },
    { url: urlOf('reference'), valueReference: { reference: `Organization/h${seed % HOMES}` } },
  ];
  return value.filter((_, index) => (seed + index) % 6 !== 0);
}

/** Stores resources by their ids, in transactions; those that are referred to must come first. */
export async function storeAll(base: string, resources: Iterable<Resource>): Promise<void> {
  const bundles = bundlesOf(resources);
  // Alone: it has what all others refer to.
  await send(base, bundles.next().value);
  const sendRest = async (): Promise<void> => {
    for (let next = bundles.next(); !next.done; next = bundles.next()) await send(base, next.value);
  };
  await Promise.all(Array.from({ length: BUNDLES_AT_ONCE }, sendRest));
}

async function send(base: string, body: Bundle | void): Promise<void> {
  if (body) await request(base, 'POST', '', { body, status: 200 });
}

/** A patient and what refers to it are in one bundle, as bundles overtake each other. */
function* bundlesOf(resources: Iterable<Resource>): Generator<Bundle, void> {
  let entry: NonNullable<Bundle['entry']>[number][] = [];
  for (const resource of resources) {
    if (entry.length >= IN_A_BUNDLE && resource.resourceType === 'Patient') {
      yield { resourceType: 'Bundle', type: 'transaction', entry };
      entry = [];
    }
    entry.push({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } });
  }
  yield { resourceType: 'Bundle', type: 'transaction', entry };
}
