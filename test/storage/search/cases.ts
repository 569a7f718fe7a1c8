import * as c from './conditions.js';
import { LOINC, type SearchCase } from './sample.js';
import { VALUE_CASES } from './value-cases.js';

/** Plans of every kind, and the ids that they find in each partition of `sample`. */
export const CASES: readonly SearchCase[] = [
  ...VALUE_CASES,
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
