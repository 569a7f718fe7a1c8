import type { Connection, Submittable } from 'pg';
import { SQL_STATEMENTS } from '../sql-statements.js';
import { columnReader, type ColumnReader } from './column-readers.js';
import type { PgResult, PgStatement, PgValue } from './statement.js';

/** What is known of one connection. */
export interface ConnectionState {
  /** Prepared statements by name, and how to read their columns once that is known. */
  readonly prepared: Map<string, readonly ColumnReader[] | null>;
  /** Statements that may or may not exist: they were sent in a pipeline that failed. */
  readonly doubtful: Set<string>;
  /** False behind a pooler that hands out another backend for each transaction. */
  readonly mayPrepare: () => boolean;
}

/** The parts of pg's connection that a query object works with. */
interface Wire {
  readonly stream: { cork(): void; uncork(): void };
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
  private sent = false;

  constructor(
    private readonly statements: readonly PgStatement[],
    private readonly state: ConnectionState,
    private readonly end: PipelineEnd,
  ) {}

  /** Whether the server may have seen it. */
  get isSent(): boolean {
    return this.sent;
  }

  submit(connection: Connection): void {
    this.sent = true;
    const wire = connection as unknown as Wire;
    wire.stream.cork();
    try {
      for (const statement of this.statements) this.send(wire, statement);
      wire.sync();
    } finally {
      wire.stream.uncork();
    }
    this.begin(0);
  }

  private send(wire: Wire, { name, text, values }: PgStatement): void {
    if (SQL_STATEMENTS.hasSubscribers) SQL_STATEMENTS.publish(text);
    const statement = name !== undefined && this.state.mayPrepare() ? name : '';
    if (statement === '' || !this.state.prepared.has(statement)) this.parse(wire, statement, text);
    wire.bind({ statement, values: values.map(toWire) });
    if (!this.state.prepared.get(statement)) wire.describe({ type: 'P', name: '' });
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
    const name = this.statements[index]?.name;
    this.rows = [];
    this.columns = (name === undefined ? null : this.state.prepared.get(name)) ?? NO_COLUMNS;
  }

  handleRowDescription({ fields }: RowDescription): void {
    this.columns = fields.map(({ dataTypeID }) => columnReader(dataTypeID));
    const name = this.statements[this.results.length]?.name;
    if (name !== undefined && this.state.prepared.has(name)) this.state.prepared.set(name, this.columns);
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const row: unknown[] = [];
    for (let index = 0; index < fields.length; index++) {
      const text = fields[index];
      row.push(text === null || text === undefined ? null : this.columns[index]!(text));
    }
    this.rows.push(row);
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.results.push({ rows: this.rows, count: Number(/\d+$/.exec(text)?.[0] ?? 0) });
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

function toWire(value: PgValue): string | Buffer | null {
  return value === null || typeof value === 'object' ? value : String(value);
}
