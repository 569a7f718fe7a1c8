import type { VersionPage } from '../../export-store.js';
import { PageBuilder, type RowState } from '../export-page.js';

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
/** The signature, flags, and the length of an extension, which there is none of. */
const HEADER_BYTES = 19;
const COLUMNS = 6;
const TWO_TO_32 = 2 ** 32;

/** Takes what a connection copies out: nothing of it is kept, as its memory is used again. */
export interface CopyTarget {
  /** A statement begins, perhaps once more. */
  begin(): void;
  /** One message of the server: a row. */
  row(bytes: Buffer): void;
}

/**
 * Reads rows of COPY in PostgreSQL's binary format into a page: texts come as they are stored, and become no strings.
 * https://www.postgresql.org/docs/current/sql-copy.html
 */
export class CopiedPage implements CopyTarget {
  private page: PageBuilder;

  constructor(private readonly newPage: () => PageBuilder) {
    this.page = newPage();
  }

  begin(): void {
    this.abandon();
    this.page = this.newPage();
  }

  /** Nobody wants what was copied. */
  abandon(): void {
    this.page.abandon();
  }

  row(bytes: Buffer): void {
    const start = bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE) ? HEADER_BYTES : 0;
    // The end is a row of -1 columns.
    if (bytes.length < start + 2 || bytes.readInt16BE(start) !== COLUMNS) return;
    const fields = new Fields(bytes, start + 2);
    const rowId = fields.big();
    const id = fields.bytes()?.toString('latin1') ?? '';
    const version = fields.int();
    const updated = fields.big();
    const state = fields.int() as RowState;
    this.page.add({ rowId, id, version, updated, state }, fields.bytes());
  }

  /** Rows that came, those that were passed over included. */
  get rows(): number {
    return this.page.rows;
  }

  finish(): VersionPage {
    return this.page.finish();
  }
}

/** The fields of one row, in their order. */
class Fields {
  constructor(
    private readonly row: Buffer,
    private at: number,
  ) {}

  bytes(): Buffer | null {
    const length = this.row.readInt32BE(this.at);
    const start = this.at + 4;
    this.at = start + Math.max(0, length);
    return length < 0 ? null : this.row.subarray(start, this.at);
  }

  int(): number {
    const value = this.row.readInt32BE(this.at + 4);
    this.at += 8;
    return value;
  }

  /** Row ids and milliseconds stay far below 2^53. */
  big(): number {
    const value = this.row.readInt32BE(this.at + 4) * TWO_TO_32 + this.row.readUInt32BE(this.at + 8);
    this.at += 12;
    return value;
  }
}
