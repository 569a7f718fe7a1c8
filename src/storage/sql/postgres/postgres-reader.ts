import type { SqlReader, SqlStatement } from '../sql-reader.js';
import type { PostgresConnections } from './connections.js';
import type { PgStatement } from './statement.js';

/** More different statements than this are not kept prepared. */
const MOST_PREPARED = 500;

/** Runs compiled searches: those that are planned for their values also have a time limit. */
export class PostgresReader implements SqlReader {
  private readonly names = new Map<string, string>();

  constructor(
    private readonly connections: Pick<PostgresConnections, 'read'>,
    private readonly timeoutMs: number,
  ) {}

  async all(statement: SqlStatement): Promise<readonly (readonly unknown[])[]> {
    const [rows = []] = await this.together([statement]);
    return rows;
  }

  async together(statements: readonly SqlStatement[]): Promise<readonly (readonly (readonly unknown[])[])[]> {
    const [first] = statements;
    if (first === undefined) return [];
    const isBounded = statements.some(({ cost, plan }) => cost === 'expensive' || plan !== 'generic');
    const isFixed = statements.every(({ plan }) => plan === 'fixed');
    const options = isBounded ? { timeoutMs: this.timeoutMs, isFixed } : {};
    const named = statements.map((one) => this.toStatement(one));
    const results = await this.connections.read(first.partitions, named, options);
    return results.map(({ rows }) => rows);
  }

  private toStatement({ sql, bindings }: SqlStatement): PgStatement {
    const name = this.nameOf(sql);
    return { ...(name === undefined ? {} : { name }), text: sql, values: bindings };
  }

  private nameOf(sql: string): string | undefined {
    const known = this.names.get(sql);
    if (known !== undefined || this.names.size >= MOST_PREPARED) return known;
    const name = `search ${this.names.size}`;
    this.names.set(sql, name);
    return name;
  }
}
