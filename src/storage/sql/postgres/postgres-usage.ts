import { FhirError } from '../../../model/errors.js';
import type { PartitionId } from '../../../model/partition.js';
import type { PartitionUsage } from '../../../model/quota.js';
import type { UsageCount } from '../../partition-usage.js';
import type { HomeUsage } from '../../placement/home.js';
import { type Counted, type CountMoment, type CountSteps, countUsage } from '../usage-count.js';
import type { PgSnapshot, PostgresConnections } from './connections.js';
import { refusalOf } from './database-error.js';
import type { PgResult, PgStatement, PgValue } from './statement.js';
import { USAGE_SQL } from './usage-sql.js';

/** Longest count, in milliseconds. */
const COUNT_TIMEOUT_MS = 600_000;

/** A moment, and the transaction that sees it. */
interface Frozen {
  readonly row: readonly number[];
  readonly snapshot: PgSnapshot;
}

/** What is kept of what the partitions of a database or schema hold. */
export class PostgresUsage implements HomeUsage, CountSteps {
  private counting: Promise<unknown> = Promise.resolve();

  /** `snapshots` are connections of their own: a count has two of them at times. */
  constructor(
    private readonly connections: PostgresConnections,
    private readonly snapshots: PostgresConnections,
  ) {}

  async read(partition: PartitionId): Promise<PartitionUsage | undefined> {
    const [found] = await this.connections.read([partition], [statement('read', [partition])]);
    const row = numbersOf(found);
    return row[2] === 1 ? toUsage(row) : undefined;
  }

  /** One after the other: each takes a second connection while it has one. */
  count(partition: PartitionId): Promise<UsageCount | undefined> {
    const turn = this.counting.then(() => countUsage(this, partition));
    this.counting = turn.catch(() => undefined);
    return turn;
  }

  async bring(partition: PartitionId, usage: PartitionUsage | undefined): Promise<void> {
    const brought =
      usage === undefined
        ? statement('forget', [partition])
        : statement('bring', [partition, usage.resources, usage.bytes]);
    await this.connections.write([partition], [brought]);
  }

  async freeze<Result>(
    counted: Counted,
    work: (moment: CountMoment) => Promise<Result>,
  ): Promise<Result | undefined> {
    const { partition } = counted;
    const frozen = await this.begin(counted);
    if (frozen === undefined) return undefined;
    const { row, snapshot } = frozen;
    const before = toUsage(row);
    try {
      const count = async (): Promise<PartitionUsage> => {
        const [found] = await snapshot.read([partition], [statement('count', [partition])]);
        return toUsage(numbersOf(found));
      };
      return await work({ kept: row[2] === 1 ? before : null, before, count });
    } finally {
      await snapshot.close();
    }
  }

  async beat({ partition, token }: Counted): Promise<void> {
    await this.connections.write([partition], [statement('beat', [partition, token])]);
  }

  async finish({ partition, token }: Counted, { resources, bytes }: PartitionUsage): Promise<boolean> {
    const values = [partition, token, resources, bytes];
    const [done] = await this.connections.write([partition], [statement('finish', values)]);
    return done?.count === 1;
  }

  /** The snapshot is taken while nobody writes. @throws FhirError UNKNOWN_PARTITION */
  private async begin({ partition, token }: Counted): Promise<Frozen | undefined> {
    let snapshot: PgSnapshot | undefined;
    try {
      return await this.snapshots.transaction(
        [partition],
        async (transaction) => {
          const [begun] = await transaction.run([statement('begin', [partition, token])]);
          if (begun?.rows.length !== 1) return undefined;
          snapshot = await this.snapshots.openSnapshot([partition], COUNT_TIMEOUT_MS);
          return { row: numbersOf(begun), snapshot };
        },
        'exclusive',
      );
    } catch (error) {
      await snapshot?.close();
      if (refusalOf(error)?.kind !== 'gone') throw error;
      throw new FhirError('UNKNOWN_PARTITION', 'The partition was deleted.', { cause: error });
    }
  }
}

function statement(name: keyof typeof USAGE_SQL, values: readonly PgValue[]): PgStatement {
  return { text: USAGE_SQL[name], values };
}

function numbersOf(result: PgResult | undefined): readonly number[] {
  return (result?.rows[0] ?? []) as readonly number[];
}

function toUsage([resources = 0, bytes = 0]: readonly number[]): PartitionUsage {
  return { resources, bytes };
}
