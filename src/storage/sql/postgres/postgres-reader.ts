import type { SqlReader, SqlStatement } from '../sql-reader.js';
import type { PostgresConnections } from './connections.js';

/** More different statements than this are not kept prepared. */
const MOST_PREPARED = 500;

/** Runs compiled searches: those that are planned for their values also have a time limit. */
export class PostgresReader implements SqlReader {
  private readonly names = new Map<string, string>();

  constructor(
    private readonly connections: PostgresConnections,
    private readonly timeoutMs: number,
  ) {}

  async all({
    sql,
    bindings,
    cost,
    partitions,
    plan,
  }: SqlStatement): Promise<readonly (readonly unknown[])[]> {
    const name = this.nameOf(sql);
    const statement = { ...(name === undefined ? {} : { name }), text: sql, values: bindings };
    const isBounded = cost === 'expensive' || plan === 'custom';
    const options = isBounded ? { timeoutMs: this.timeoutMs } : {};
    const [result] = await this.connections.read(partitions, [statement], options);
    return result?.rows ?? [];
  }

  private nameOf(sql: string): string | undefined {
    const known = this.names.get(sql);
    if (known !== undefined || this.names.size >= MOST_PREPARED) return known;
    const name = `search ${this.names.size}`;
    this.names.set(sql, name);
    return name;
  }
}
