import * as c from './conditions.js';
import { LOINC, type SearchCase, UCUM } from './sample.js';

const eq = { comparison: 'eq' } as const;

/** Plans of no more than one condition on values of the resource itself. */
export const VALUE_CASES: readonly SearchCase[] = [
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
];
