import type { Connection, Submittable } from 'pg';
import { SQL_STATEMENTS } from '../sql-statements.js';
import { columnReader, type ColumnReader } from './column-readers.js';
import type { PgResult, PgStatement, PgValue } from './statement.js';

/** What is known of one connection. */
export interface ConnectionState {
  /** Prepared statements by their name on the wire, and how to read their columns once that is known. */
  readonly prepared: Map<string, readonly ColumnReader[] | null>;
  /** Statements that may or may not exist: they were sent in a pipeline that failed. */
  readonly doubtful: Set<string>;
  /** What a statement is prepared under; empty where it is not prepared. */
  readonly nameOf: (statement: PgStatement) => string;
}

/** What pg's connection writes its messages to. */
interface WireStream {
  readonly writable: boolean;
  write(bytes: Buffer): boolean;
}

/** Where its messages come from. */
interface WireSource {
  pause(): unknown;
  resume(): unknown;
}

/** Bytes that are copied out in one turn of the event loop: others have theirs in between. */
const COPIED_AT_ONCE = 128 * 1024;

/** The parts of pg's connection that a query object works with. */
interface Wire {
  readonly stream: WireStream & WireSource;
  parse(message: { name: string; text: string }): void;
  bind(message: { statement: string; values: readonly unknown[] }): void;
  describe(message: { type: 'P'; name: string }): void;
  close(message: { type: 'S'; name: string }): void;
  execute(message: { portal: string }): void;
  sync(): void;
}

interface RowDescription {
  readonly fields: readonly { readonly dataTypeID: number }[];
}

const failed = new WeakMap<object, PgStatement>();

/** The statement of a pipeline that the server's error is about. */
export function failedStatement(error: object): PgStatement | undefined {
  return failed.get(error);
}

const NO_COLUMNS: readonly ColumnReader[] = [];

/** Told when a pipeline is over. */
export interface PipelineEnd {
  readonly resolve: (results: readonly PgResult[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Several statements in one round trip: all of them are sent with a single Sync, so that PostgreSQL runs them as
 * one transaction, which it commits at the end or rolls back at the first error.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
export class Pipeline implements Submittable {
  private readonly results: { rows: unknown[][]; count: number }[] = [];
  private rows: unknown[][] = [];
  private columns: readonly ColumnReader[] = NO_COLUMNS;
  private readonly parsed: string[] = [];
  private readonly names: readonly string[];
  private sent = false;
  private source: WireSource | undefined;
  private copied = 0;

  constructor(
    private readonly statements: readonly PgStatement[],
    private readonly state: ConnectionState,
    private readonly end: PipelineEnd,
  ) {
    this.names = statements.map(state.nameOf);
  }

  /** Whether the server may have seen it. */
  get isSent(): boolean {
    return this.sent;
  }

  /** Whether every statement was answered: what is left is the commit. */
  get isComplete(): boolean {
    return this.results.length === this.statements.length;
  }

  submit(connection: Connection): void {
    this.sent = true;
    const { stream } = connection as unknown as Wire;
    this.source = stream;
    const messages: Buffer[] = [];
    const wire = collecting(connection as unknown as Wire, messages);
    this.statements.forEach((statement, index) => this.send(wire, statement, this.names[index]!));
    wire.sync();
    // One write for all of them: each one would cost a turn through the stream.
    if (stream.writable) stream.write(Buffer.concat(messages));
    this.begin(0);
  }

  private send(wire: Wire, { text, values, target }: PgStatement, name: string): void {
    target?.begin();
    if (SQL_STATEMENTS.hasSubscribers) SQL_STATEMENTS.publish(text);
    if (name === '' || !this.state.prepared.has(name)) this.parse(wire, name, text);
    wire.bind({ statement: name, values: values.map(toWire) });
    if (!this.state.prepared.get(name)) wire.describe({ type: 'P', name: '' });
    wire.execute({ portal: '' });
  }

  private parse(wire: Wire, name: string, text: string): void {
    const { prepared, doubtful } = this.state;
    // Closing what does not exist is no error.
    if (doubtful.delete(name)) wire.close({ type: 'S', name });
    wire.parse({ name, text });
    if (name === '') return;
    prepared.set(name, null);
    this.parsed.push(name);
  }

  /** Columns of a statement that was described before. */
  private begin(index: number): void {
    this.rows = [];
    this.columns = this.state.prepared.get(this.names[index] ?? '') ?? NO_COLUMNS;
  }

  handleRowDescription({ fields }: RowDescription): void {
    this.columns = fields.map(({ dataTypeID }) => columnReader(dataTypeID));
    const name = this.names[this.results.length] ?? '';
    if (this.state.prepared.has(name)) this.state.prepared.set(name, this.columns);
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const row: unknown[] = [];
    for (let index = 0; index < fields.length; index++) {
      const text = fields[index];
      row.push(text === null || text === undefined ? null : this.columns[index]!(text));
    }
    this.rows.push(row);
  }

  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    this.statements[this.results.length]?.target?.row(chunk);
    this.copied += chunk.length;
    if (this.copied >= COPIED_AT_ONCE) this.pause();
  }

  /** Whatever has arrived would be taken in one turn otherwise. */
  private pause(): void {
    const { source } = this;
    this.copied = 0;
    source?.pause();
    setImmediate(() => source?.resume());
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.results.push({ rows: this.rows, count: Number(/\b\d+$/.exec(text)?.[0] ?? 0) });
    this.begin(this.results.length);
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete({ text: '' });
  }

  handleReadyForQuery(): void {
    this.end.resolve(this.results);
  }

  /** The server's error, or that the connection broke. */
  handleError(error: object): void {
    const statement = this.statements[this.results.length];
    if (statement) failed.set(error, statement);
    for (const name of this.parsed) {
      this.state.prepared.delete(name);
      this.state.doubtful.add(name);
    }
    this.end.reject(error);
  }
}

/** The same connection, whose messages are kept instead of written. */
function collecting(wire: Wire, messages: Buffer[]): Wire {
  const stream: WireStream = {
    writable: true,
    write: (bytes) => messages.push(bytes) > 0,
  };
  return Object.create(wire, { stream: { value: stream } }) as Wire;
}

function toWire(value: PgValue): string | Buffer | null {
  return value === null || typeof value === 'object' ? value : String(value);
}
