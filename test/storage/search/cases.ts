import type { SearchPlan } from '../../../src/storage/search-store.js';
import * as c from './conditions.js';
import { SearchDatabase } from './fixtures.js';

const LOINC = 'http://loinc.org';
const UCUM = 'http://unitsofmeasure.org';

/** Three patients and five observations in partition 1, and their likes in partition 2. */
export function sample(): SearchDatabase {
  const db = new SearchDatabase();
  for (const partition of [1, 2]) {
    const anna = db.add(partition, 'Patient/anna', [
      db.string('name', 'Smith'),
      db.string('name', 'Smithson'),
      db.token('identifier', '1', 'urn:mrn'),
      db.token('gender', 'female'),
      db.date('birthDate', 100, 199),
    ]);
    const bert = db.add(partition, 'Patient/bert', [
      db.string('name', 'Jones'),
      db.token('identifier', '2', 'urn:mrn'),
      db.token('gender', 'male'),
      db.date('birthDate', 300, 399),
    ]);
    db.add(partition, 'Patient/carl', [db.string('name', 'smith'), db.token('gender', 'male')]);
    const observe = (id: string, patient: number, value: string, at: number): number =>
      db.add(partition, `Observation/${id}`, [
        db.token('code', value, LOINC),
        db.token('code', value, 'urn:local'),
        db.link('subject', patient),
        db.date('effective', at, at + 9),
        db.quantity('value', at, { system: UCUM, code: 'mg', canonical: [at / 1000, 'g'] }),
      ]);
    observe('o1', anna, 'hr', 10);
    observe('o2', anna, 'bp', 20);
    observe('o3', bert, 'hr', 30);
    observe('o4', bert, 'hr', 40);
    db.add(partition, 'Observation/o5', [
      db.token('code', 'hr'),
      db.url('subject', 'http://other/Patient/9'),
    ]);
    db.remove(db.add(partition, 'Observation/gone', [db.token('code', 'hr', LOINC)]));
  }
  return db;
}

const eq = { comparison: 'eq' } as const;
/** Plans of every kind, and the ids that they find in each partition of `sample`. */
export const CASES: readonly [title: string, plan: SearchPlan, expected: readonly string[]][] = [
  ['no condition finds all live ones', c.plan('Observation', c.all()), ['o1', 'o2', 'o3', 'o4', 'o5']],
  [
    'a token with system',
    c.plan('Observation', c.token('Observation', 'code', c.code('hr', LOINC))),
    ['o1', 'o3', 'o4'],
  ],
  [
    'a token in any system comes once',
    c.plan('Observation', c.token('Observation', 'code', c.code('hr'))),
    ['o1', 'o3', 'o4', 'o5'],
  ],
  [
    'a token without system',
    c.plan('Observation', c.token('Observation', 'code', c.code('hr', null))),
    ['o5'],
  ],
  [
    'every code of a system',
    c.plan('Observation', c.token('Observation', 'code', c.code(undefined, 'urn:local'))),
    ['o1', 'o2', 'o3', 'o4'],
  ],
  ['an unknown system', c.plan('Observation', c.token('Observation', 'code', c.code('hr', 'urn:never'))), []],
  [
    'alternatives',
    c.plan(
      'Observation',
      c.token('Observation', 'code', c.code('hr', LOINC), c.code('bp', LOINC), c.code('hr', null)),
    ),
    ['o1', 'o2', 'o3', 'o4', 'o5'],
  ],
  [
    'the beginning of a text',
    c.plan('Patient', c.text('Patient', 'name', c.prefix('smi'))),
    ['anna', 'carl'],
  ],
  [
    'an exact text',
    c.plan('Patient', c.text('Patient', 'name', { match: 'exact', normalized: 'smith', exact: 'Smith' })),
    ['anna'],
  ],
  [
    'a part of a text',
    c.plan('Patient', c.text('Patient', 'name', { match: 'contains', normalized: 'mith' })),
    ['anna', 'carl'],
  ],
  [
    'a whole text',
    c.plan('Patient', c.text('Patient', 'name', { match: 'eq', normalized: 'smith' })),
    ['anna', 'carl'],
  ],
  [
    'any other text',
    c.plan('Patient', c.text('Patient', 'name', { match: 'ne', normalized: 'smith' })),
    ['anna', 'bert'],
  ],
  [
    'the end of a text',
    c.plan('Patient', c.text('Patient', 'name', { match: 'suffix', normalized: 'son' })),
    ['anna'],
  ],
  [
    'an end that is longer than every text',
    c.plan('Patient', c.text('Patient', 'name', { match: 'suffix', normalized: 'x smithson' })),
    [],
  ],
  [
    'texts that come later in the order',
    c.plan('Patient', c.text('Patient', 'name', { match: 'gt', normalized: 'smith' })),
    ['anna'],
  ],
  [
    'any other token',
    c.plan('Observation', c.token('Observation', 'code', { ...c.code('hr', LOINC), unequal: true })),
    ['o1', 'o2', 'o3', 'o4', 'o5'],
  ],
  [
    'any other code',
    c.plan('Observation', c.token('Observation', 'code', { ...c.code('hr'), unequal: true })),
    ['o2'],
  ],
  [
    'any token but those of a system',
    c.plan('Observation', c.token('Observation', 'code', { ...c.code(undefined, null), unequal: true })),
    ['o1', 'o2', 'o3', 'o4'],
  ],
  [
    'any token but one of a system that was never written',
    c.plan('Patient', c.token('Patient', 'gender', { ...c.code('male', 'urn:never'), unequal: true })),
    ['anna', 'bert', 'carl'],
  ],
  [
    'a range that holds all of another',
    c.plan('Patient', c.date('Patient', 'birthDate', { comparison: 'co', low: 310, high: 399 })),
    ['bert'],
  ],
  [
    'two texts',
    c.plan(
      'Patient',
      c.all(c.text('Patient', 'name', c.prefix('smith')), c.text('Patient', 'name', c.prefix('smiths'))),
    ),
    ['anna'],
  ],
  [
    'a reference',
    c.plan('Observation', c.reference('Observation', 'subject', c.local('anna', 'Patient'))),
    ['o1', 'o2'],
  ],
  [
    'a reference without type',
    c.plan('Observation', c.reference('Observation', 'subject', c.local('anna'))),
    ['o1', 'o2'],
  ],
  [
    'a reference to another type',
    c.plan('Observation', c.reference('Observation', 'subject', c.local('anna', 'Observation'))),
    [],
  ],
  [
    'a reference by URL',
    c.plan(
      'Observation',
      c.reference('Observation', 'subject', { kind: 'url', url: 'http://other/Patient/9', anyVersion: true }),
    ),
    ['o5'],
  ],
  [
    'a reference and a token',
    c.plan(
      'Observation',
      c.all(
        c.reference('Observation', 'subject', c.local('anna', 'Patient')),
        c.token('Observation', 'code', c.code('hr')),
      ),
    ),
    ['o1'],
  ],
  [
    'a token and a date',
    c.plan(
      'Observation',
      c.all(
        c.token('Observation', 'code', c.code('hr', LOINC)),
        c.date('Observation', 'effective', { comparison: 'ge', low: 30, high: 39 }),
      ),
    ),
    ['o3', 'o4'],
  ],
  ['a missing reference', c.plan('Observation', c.not(c.present(c.reference('Observation', 'subject')))), []],
  ['a missing date', c.plan('Patient', c.not(c.present(c.date('Patient', 'birthDate')))), ['carl']],
  ['a present token', c.plan('Patient', c.present(c.token('Patient', 'identifier'))), ['anna', 'bert']],
  ['a missing token', c.plan('Patient', c.not(c.present(c.token('Patient', 'identifier')))), ['carl']],
  ['not a token', c.plan('Patient', c.not(c.token('Patient', 'gender', c.code('male')))), ['anna']],
  [
    'a token and not a token',
    c.plan(
      'Observation',
      c.all(
        c.token('Observation', 'code', c.code('hr')),
        c.not(c.token('Observation', 'code', c.code('hr', LOINC))),
      ),
    ),
    ['o5'],
  ],
  ['ids', c.plan('Patient', c.ids('carl', 'nobody', 'anna', 'anna')), ['anna', 'carl']],
  [
    'ids and a token',
    c.plan('Patient', c.all(c.ids('carl', 'anna'), c.token('Patient', 'gender', c.code('male')))),
    ['carl'],
  ],
  [
    'a chain',
    c.plan(
      'Observation',
      c.chain('Observation', 'subject', 'Patient', c.text('Patient', 'name', c.prefix('jon'))),
    ),
    ['o3', 'o4'],
  ],
  [
    'a chain to an id',
    c.plan('Observation', c.chain('Observation', 'subject', 'Patient', c.ids('bert'))),
    ['o3', 'o4'],
  ],
  [
    'a token and a chain',
    c.plan(
      'Observation',
      c.all(
        c.token('Observation', 'code', c.code('hr', LOINC)),
        c.chain('Observation', 'subject', 'Patient', c.text('Patient', 'name', c.prefix('smith'))),
      ),
    ),
    ['o1'],
  ],
  [
    'a chain of two conditions',
    c.plan(
      'Observation',
      c.chain(
        'Observation',
        'subject',
        'Patient',
        c.all(c.token('Patient', 'gender', c.code('male')), c.text('Patient', 'name', c.prefix('j'))),
      ),
    ),
    ['o3', 'o4'],
  ],
  [
    'a reverse chain',
    c.plan('Patient', c.has('Observation', 'subject', c.token('Observation', 'code', c.code('bp')))),
    ['anna'],
  ],
  [
    'a token and a reverse chain',
    c.plan(
      'Patient',
      c.all(
        c.token('Patient', 'gender', c.code('male')),
        c.has('Observation', 'subject', c.token('Observation', 'code', c.code('hr'))),
      ),
    ),
    ['bert'],
  ],
  [
    'either of two conditions',
    c.plan(
      'Patient',
      c.any(
        c.token('Patient', 'identifier', c.code('2', 'urn:mrn')),
        c.text('Patient', 'name', c.prefix('smithson')),
      ),
    ),
    ['anna', 'bert'],
  ],
  [
    'a number of its own unit',
    c.plan(
      'Observation',
      c.quantity('Observation', 'value', {
        ...eq,
        value: 20,
        low: 19.5,
        high: 20.5,
        unit: { kind: 'code', system: UCUM, code: 'mg' },
      }),
    ),
    ['o2'],
  ],
  [
    'a canonical quantity',
    c.plan(
      'Observation',
      c.quantity('Observation', 'value', {
        comparison: 'gt',
        value: 0.02,
        low: 0.0195,
        high: 0.0205,
        unit: { kind: 'canonical', unit: 'g' },
      }),
    ),
    ['o3', 'o4'],
  ],
  [
    'a quantity with its unit as a word',
    c.plan(
      'Observation',
      c.quantity('Observation', 'value', {
        comparison: 'le',
        value: 20,
        low: 19.5,
        high: 20.5,
        unit: { kind: 'label', label: 'mg' },
      }),
    ),
    ['o1', 'o2'],
  ],
  ['a type that was never written', c.plan('Device', c.all()), []],
  ['a path that was never written', c.plan('Patient', c.token('Patient', 'never', c.code('x'))), []],
  ['no alternative at all', c.plan('Patient', c.token('Patient', 'gender')), []],
  ['an empty list of ids', c.plan('Patient', c.ids()), []],
  [
    'an impossible condition beside a possible one',
    c.plan(
      'Patient',
      c.all(c.token('Patient', 'gender', c.code('male')), c.token('Patient', 'never', c.code('x'))),
    ),
    [],
  ],
  [
    'not an impossible condition',
    c.plan('Patient', c.not(c.token('Patient', 'never', c.code('x')))),
    ['anna', 'bert', 'carl'],
  ],
];
