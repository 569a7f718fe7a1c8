import type { Resource } from '../model/resource.js';

/** The types that terminology is stored as. */
export type TerminologyType = 'CodeSystem' | 'ValueSet';

/** Where stored code systems and value sets come from. What ships with R4 is not its matter. */
export interface TerminologySource {
  /** All versions with the canonical URL. */
  find(type: TerminologyType, url: string): Promise<readonly Resource[]>;
  /** Code systems that supplement the one with the URL, whatever version of it. */
  supplements(url: string): Promise<readonly Resource[]>;
  /** Code systems that say that the value set of all their codes has the URL. */
  withValueSet(url: string): Promise<readonly Resource[]>;
  read(type: TerminologyType, id: string): Promise<Resource | undefined>;
  /** A text that changes within a second after any CodeSystem or ValueSet was written or deleted, on any server. */
  revision(): Promise<string>;
  /** This server has written one: the next revision is asked of the database. */
  forget(): void;
}
