import type { Random } from '../campaigns/random.js';
import { one, oneIn, word } from './vocabulary.js';

type Content = Readonly<Record<string, unknown>>;

/** Types of which programs make resources. */
export const CONTENT_TYPES = [
  'Patient',
  'Patient',
  'Patient',
  'Observation',
  'Observation',
  'Observation',
  'Encounter',
  'Group',
  'List',
  'Basic',
  'MedicationRequest',
  'Provenance',
  'Binary',
  'Location',
] as const;

/** A resource as a tenant sends it: without an id, and with the tenant's canary in what it says. */
export function contentOf(random: Random, type: string): Content {
  const make = MAKERS[type] ?? MAKERS['Basic']!;
  const rest = make(random);
  return type === 'Binary' ? rest : { ...rest, meta: meta(random), ...narrative(random, type) };
}

/** A resource of any of the types. */
export function anyContent(random: Random): Content & { readonly resourceType: string } {
  return contentOf(random, one(random, CONTENT_TYPES)) as Content & { readonly resourceType: string };
}

const MAKERS: Readonly<Record<string, (random: Random) => Content>> = {
  Patient: (random) => ({
    resourceType: 'Patient',
    identifier: [
      { system: 'urn:mrn', value: word(random, 'mrn') },
      { system: 'urn:canary', value: '<canary>', type: { text: '<canary>' } },
    ],
    name: [{ family: word(random, 'family'), given: ['<canary>', 'Smith'] }],
    gender: word(random, 'gender'),
    birthDate: one(random, ['1980-01-01', '1980-06-07', '2020-02-02']),
    contact: [{ name: { text: '<canary>' } }],
    extension: [{ url: 'http://example.org/eye', valueString: one(random, ['blue', 'brown', '<canary>']) }],
    ...(oneIn(random, 3) ? { generalPractitioner: [practitioner(random)] } : {}),
    ...(oneIn(random, 4)
      ? { contained: [containedOrganization()], managingOrganization: { reference: '#o' } }
      : {}),
  }),
  Observation: (random) => ({
    resourceType: 'Observation',
    status: one(random, ['final', 'amended']),
    category: [{ coding: [{ system: 'urn:category', code: 'vital-signs' }] }],
    code: {
      coding: [{ system: 'urn:code', code: word(random, 'code'), display: '<canary>' }],
      text: 'body weight',
    },
    subject: patient(random),
    effectiveDateTime: one(random, ['2026-01-01', '2026-06-15T12:00:00Z', '2020-02-03']),
    valueQuantity: quantity(random),
    component: [
      { code: { coding: [{ system: 'urn:code', code: '8480-6' }] }, valueQuantity: quantity(random) },
      { code: { coding: [{ system: 'urn:code', code: '8462-4' }] }, valueQuantity: quantity(random) },
    ],
    note: [{ text: `bone metastases <canary>` }],
  }),
  Encounter: (random) => ({
    resourceType: 'Encounter',
    status: 'finished',
    class: { system: 'urn:class', code: 'AMB', display: '<canary>' },
    subject: patient(random),
    period: { start: '2026-01-01', ...(oneIn(random, 2) ? { end: '2026-02-01' } : {}) },
    location: [{ location: { reference: `Location/${word(random, 'id')}` } }],
  }),
  Group: (random) => ({
    resourceType: 'Group',
    type: 'person',
    actual: true,
    name: '<canary>',
    member: [{ entity: patient(random) }, { entity: patient(random) }],
  }),
  List: (random) => ({
    resourceType: 'List',
    status: 'current',
    mode: 'working',
    title: '<canary>',
    entry: [{ item: patient(random) }, { item: { reference: `Observation/${word(random, 'id')}` } }],
  }),
  Basic: (random) => ({
    resourceType: 'Basic',
    code: { coding: [{ system: 'urn:code', code: word(random, 'code') }], text: '<canary>' },
    subject: patient(random),
  }),
  MedicationRequest: (random) => ({
    resourceType: 'MedicationRequest',
    status: 'active',
    intent: 'order',
    contained: [
      {
        resourceType: 'Medication',
        id: 'm',
        code: { coding: [{ system: 'urn:code', code: word(random, 'code') }] },
      },
    ],
    medicationReference: { reference: '#m' },
    subject: patient(random),
    note: [{ text: 'liver <canary>' }],
  }),
  Provenance: (random) => ({
    resourceType: 'Provenance',
    target: [patient(random)],
    recorded: '2026-01-01T00:00:00Z',
    agent: [{ who: { display: '<canary>' } }],
  }),
  Binary: () => ({ resourceType: 'Binary', contentType: 'text/plain', data: '<base64:canary>' }),
  Location: (random) => ({
    resourceType: 'Location',
    name: '<canary>',
    position: { latitude: random.integer(40, 42), longitude: 2 },
    ...(oneIn(random, 2) ? { partOf: { reference: `Location/${word(random, 'id')}` } } : {}),
  }),
};

function meta(random: Random): Content {
  return {
    tag: [
      { system: 'urn:tag', code: word(random, 'gender') },
      { system: 'urn:tag', code: '<canary>' },
    ],
    security: [{ system: 'urn:security', code: '<canary>' }],
    profile: ['http://example.org/profile/<canary>'],
    source: one(random, ['urn:source:<canary>', 'urn:source:a']),
  };
}

function narrative(random: Random, type: string): Content {
  if (type === 'Binary' || oneIn(random, 2)) return {};
  const div = `<div xmlns="http://www.w3.org/1999/xhtml">bone ${word(random, 'gender')} [canary]</div>`;
  return { text: { status: 'generated', div: div.replace('[canary]', '<canary>') } };
}

function patient(random: Random): Content {
  return {
    reference: `Patient/${word(random, 'id')}`,
    ...(oneIn(random, 3) ? { identifier: { system: 'urn:mrn', value: word(random, 'mrn') } } : {}),
    ...(oneIn(random, 3) ? { display: '<canary>' } : {}),
  };
}

function practitioner(random: Random): Content {
  return { display: '<canary>', identifier: { system: 'urn:npi', value: word(random, 'mrn') } };
}

function containedOrganization(): Content {
  return { resourceType: 'Organization', id: 'o', name: '<canary>' };
}

function quantity(random: Random): Content {
  const value = Number(word(random, 'number'));
  return { value, unit: 'kg', system: 'http://unitsofmeasure.org', code: one(random, ['kg', 'g']) };
}
