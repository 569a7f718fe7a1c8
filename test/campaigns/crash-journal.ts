/** One resource as far as its only writer knows: what was acknowledged, and what was under way at the crash. */
export interface JournalEntry {
  readonly tenant: string;
  /** Unique value of an identifier in SYSTEM. */
  readonly token: string;
  /** Undefined until a create was acknowledged or the resource was found after a crash. */
  id: string | undefined;
  /** The last acknowledged version; 0 for none. */
  version: number;
  deleted: boolean;
  /** A write that was sent, and of which nobody said whether it happened. */
  pending: 'create' | 'update' | 'delete' | undefined;
}

/** A conditional create or a transaction: known by its token alone. */
export interface JournalGroup {
  readonly tenant: string;
  readonly token: string;
  acknowledged: boolean;
  /** The server said that nothing was changed. */
  refused: boolean;
}

/** Everything that clients were told, kept outside of the server. */
export interface Journal {
  readonly entries: JournalEntry[];
  readonly conditionals: Map<string, JournalGroup>;
  readonly transactions: JournalGroup[];
  /** Acknowledged writes of all kinds. */
  acknowledged: number;
}

/** Identifier system of everything that the campaign writes. */
export const SYSTEM = 'urn:bulkhead:crash';

/** Entries of one transaction: a Patient, and Observations of it. */
export const TRANSACTION_SIZE = 20;

export function emptyJournal(): Journal {
  return { entries: [], conditionals: new Map(), transactions: [], acknowledged: 0 };
}
