import type { UnitReport } from './load-unit.js';

/** What became of everything so far. */
export class Tally {
  created = 0;
  updated = 0;
  unchanged = 0;
  deleted = 0;

  add({ created, updated, unchanged, deleted }: Omit<UnitReport, 'failures'>): void {
    this.created += created;
    this.updated += updated;
    this.unchanged += unchanged;
    this.deleted += deleted;
  }
}
