import type { Random } from '../campaigns/random.js';

/**
 * What programs are made of: few ids and values, so that tenants, and steps of one tenant, meet. A template such as
 * `Patient/{id}?_count={count}` is filled from these lists.
 */
const WORDS = {
  id: ['a', 'b', 'c', 'A', 'a-1', '<canary>'],
  type: ['Patient', 'Observation', 'Group', 'Encounter', 'Basic', 'List', 'MedicationRequest'],
  version: ['1', '1', '2', '3', '99', 'x'],
  count: ['0', '1', '1', '2', '3', '50'],
  family: ['Okafor', 'Ng', 'Ångström', 'ångstrom', '<canary>', 'İpek'],
  mrn: ['1', '2', '3', '<canary>'],
  gender: ['male', 'female', 'other'],
  code: ['weight', 'height', '8480-6', '<canary>'],
  number: ['0', '1', '2.5', '7', '70', '120'],
  prefix: ['', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'],
  date: ['1980', '2020-02', '2026-01-01', '2026-06-15', '2031-05-05'],
  word: [
    'bone',
    'metastases',
    'liver',
    '<canary>',
    'bon*',
    '"bone metastases"',
    'bone or liver',
    'bone -liver',
  ],
  text: ['bone', 'smi', 'body weight', '<canary>'],
  summary: ['true', 'false', 'text', 'data', 'count'],
  elements: ['id', 'name', 'status,code', 'Patient.name,Observation.code', 'meta'],
  total: ['none', 'estimate', 'accurate'],
  sort: ['_id', '-_id', '_lastUpdated', '-_lastUpdated', '_tag', '-_profile', '_security', '_source'],
  'patient-sort': ['family', '-family', 'birthdate', '-identifier', 'gender,-_id', 'general-practitioner'],
  'observation-sort': ['date', '-date', 'code', '-value-quantity', 'subject', '-patient,status'],
  missing: ['true', 'false'],
  tag: ['urn:tag|male', 'urn:tag|<canary>', '<canary>', '|male', 'urn:tag|'],
  source: ['urn:source:<canary>', 'urn:source:a', '#<canary>'],
  profile: ['http://example.org/profile/a', 'http://example.org/profile/<canary>'],
  accept: ['application/fhir+json', 'application/json', '*/*', 'text/html', 'application/fhir+xml'],
  statistic: ['average', 'count', 'maximum', 'median', 'std-dev', 'total-count'],
  'value-set': ['http://hl7.org/fhir/ValueSet/administrative-gender', 'http://example.org/vs/pressure'],
  parameter: ['eye', 'eye-<canary>', 'shoe'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** The name of a list of words. */
export type Slot = keyof typeof WORDS;

/** One word of a list. */
export function word(random: Random, slot: Slot): string {
  return random.pick<string>(WORDS[slot]) ?? '';
}

/** Fills every `{slot}` of a template. @throws Error for a slot that there is not */
export function fill(random: Random, template: string): string {
  return template.replace(/\{([a-z-]+)\}/g, (_, slot: string) => {
    if (slot === 'other') return String(random.integer(0, 7));
    if (!(slot in WORDS)) throw new Error(`There are no words for {${slot}}.`);
    return word(random, slot as Slot);
  });
}

/** One of several, each as likely as its weight says. */
export function weighted<Item>(
  random: Random,
  items: readonly (readonly [weight: number, item: Item])[],
): Item {
  let left = random.integer(
    1,
    items.reduce((sum, [weight]) => sum + weight, 0),
  );
  for (const [weight, item] of items) {
    left -= weight;
    if (left <= 0) return item;
  }
  throw new Error('There is nothing to choose from.');
}

/** One of the items. */
export function one<Item>(random: Random, items: readonly Item[]): Item {
  return items[random.integer(0, items.length - 1)]!;
}

/** Whether something that happens once in so many times does. */
export function oneIn(random: Random, times: number): boolean {
  return random.integer(1, times) === 1;
}
