import type { SearchPlan } from '../../../src/storage/search-store.js';
import { SearchDatabase } from './fixtures.js';

export const LOINC = 'http://loinc.org';
export const UCUM = 'http://unitsofmeasure.org';

/** A plan, and the ids that it finds in each partition of `sample`. */
export type SearchCase = readonly [title: string, plan: SearchPlan, expected: readonly string[]];

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
