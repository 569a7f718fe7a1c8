import type { PageEntry, VersionKey, VersionPage } from '../export-store.js';
import { giveBack, type PageMemory } from './page-memory.js';

/** What a row of a walk is at the time that is asked for. */
export const ROW_STATES = {
  /** Replaced by then, or not wanted: the walk goes past it. */
  passed: 0,
  /** Current by then, with a text. */
  live: 1,
  /** Deleted by then. */
  deleted: 2,
} as const;

export type RowState = (typeof ROW_STATES)[keyof typeof ROW_STATES];

/** A row of a walk without its text. */
export interface WalkedRow extends PageEntry {
  readonly state: RowState;
}

/** Rows that one statement walks past at most. */
export const MOST_ROWS = 20_000;

/** A clock may be so far ahead of the database's, in milliseconds: what it has dated belongs to the present. */
export const MOST_AHEAD_MS = 60_000;

/** Of what nothing was ever stored of. */
export const EMPTY_PAGE: VersionPage = {
  lines: new Uint8Array(0),
  count: 0,
  entries: [],
  deleted: [],
  unreadable: [],
  next: null,
};

/** Room for the text that goes beyond what a page should hold. */
const SLACK = 64 * 1024;
const NOTHING = Buffer.alloc(0);
/** Bytes of UTF-8 that a UTF-16 unit takes at most. */
const MOST_BYTES_OF_UNIT = 3;
const LINE_FEED = 0x0a;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** Puts the rows of a walk together to a page. Texts are copied once. */
export class PageBuilder {
  private bytes: Buffer = NOTHING;
  private length = 0;
  private count = 0;
  /** Rows that were added. */
  rows = 0;
  private last: WalkedRow | undefined;
  private readonly entries: PageEntry[] = [];
  private readonly deleted: PageEntry[] = [];
  private readonly unreadable: PageEntry[] = [];

  constructor(
    private readonly limit: { readonly bytes: number; readonly rows: number },
    private readonly detail: 'lines' | 'entries' | 'deletions',
    private readonly memory: PageMemory,
  ) {}

  /** Whether nothing more goes in. */
  get isFull(): boolean {
    return this.length >= this.limit.bytes || this.rows >= this.limit.rows;
  }

  /** `text`, which may be its bytes, is copied before this returns. */
  add(row: WalkedRow, text: string | Buffer | null): void {
    this.rows++;
    this.last = row;
    if (row.state === ROW_STATES.passed) return;
    if (row.state === ROW_STATES.deleted) this.deleted.push(toEntry(row));
    else if (text === null || !isLine(text)) this.unreadable.push(toEntry(row));
    else this.addLine(row, text);
  }

  /** Nobody wants the page. */
  abandon(): void {
    giveBack(this.bytes);
    this.bytes = NOTHING;
    this.length = 0;
  }

  /** The page, after the last row there is or the first that does not go in. */
  finish(): VersionPage {
    return {
      lines: this.bytes.subarray(0, this.length),
      count: this.count,
      entries: this.entries,
      deleted: this.deleted,
      unreadable: this.unreadable,
      next: this.isFull ? this.next() : null,
    };
  }

  private addLine(row: WalkedRow, text: string | Buffer): void {
    const end = typeof text === 'string' ? this.write(text) : this.copy(text);
    this.bytes[end] = LINE_FEED;
    this.length = end + 1;
    this.count++;
    if (this.detail === 'entries') this.entries.push(toEntry(row));
  }

  /** Answers where it ends. */
  private write(text: string): number {
    if (!this.hasRoom(text.length * MOST_BYTES_OF_UNIT)) this.makeRoom(Buffer.byteLength(text));
    return this.length + this.bytes.write(text, this.length);
  }

  private copy(text: Buffer): number {
    this.makeRoom(text.length);
    this.bytes.set(text, this.length);
    return this.length + text.length;
  }

  /** For so many bytes and a line feed. */
  private hasRoom(bytes: number): boolean {
    return this.length + bytes < this.bytes.length;
  }

  private makeRoom(bytes: number): void {
    if (this.hasRoom(bytes)) return;
    const larger = this.memory.take(Math.max(this.length + bytes + 1, this.limit.bytes) + SLACK);
    this.bytes.copy(larger, 0, 0, this.length);
    giveBack(this.bytes);
    this.bytes = larger;
  }

  /**
   * Versions of one resource may have one time. At most one of them is current by the time of the walk, so that nothing
   * is left of them once it was met; before that the next page begins with them.
   */
  private next(): VersionKey | null {
    if (this.last === undefined) return null;
    const { updated, rowId, state } = this.last;
    return { updated, rowId: state === ROW_STATES.passed ? rowId - 1 : rowId };
  }
}

/** What is there of a text is one object on one line; that it can be parsed would take longer than to write it. */
function isLine(text: string | Buffer): boolean {
  if (typeof text === 'string') return text.startsWith('{') && text.endsWith('}') && !text.includes('\n');
  return text[0] === OPENING_BRACE && text[text.length - 1] === CLOSING_BRACE && !text.includes(LINE_FEED);
}

function toEntry({ rowId, id, version, updated }: WalkedRow): PageEntry {
  return { rowId, id, version, updated };
}
