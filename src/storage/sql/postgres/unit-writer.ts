import { DEFAULT_PARTITION_ID, NON_PARTITIONABLE_TYPES, type PartitionId } from '../../../model/partition.js';
import { FhirError } from '../../../model/errors.js';
import {
  LOOSE_TYPE,
  type ReferencePolicy,
  type ResourceKey,
  type WriteConflict,
  WriteConflictError,
  type WriteUnit,
} from '../../store.js';
import { togetherByPartition } from '../copies.js';
import { int4Array, int8Array, textArray } from './binary-array.js';
import {
  type ClaimedChange,
  targetKey,
  toWriteStatement,
  type TargetRules,
  type WriteStatement,
} from './change-arrays.js';
import type { PostgresConnections } from './connections.js';
import { copyStatement } from './copy-sql.js';
import { refusalOf } from './database-error.js';
import { toKeyText } from './key-text.js';
import type { PostgresDictionary } from './postgres-dictionary.js';
import { type PreparedChange, type PreparedUnit, prepareUnit, referenceOf } from './prepared-unit.js';
import type { PartitionLock } from './prologue.js';
import type { RowIdBlocks } from './row-id-blocks.js';
import { RowNames } from '../row-names.js';
import type { PgResult, PgStatement } from './statement.js';
import { KeptPartitions } from './usage-steps.js';
import { WRITE_SQL } from './write-sql.js';

/** What stays equal over the life of a store. */
export interface UnitWriterOptions {
  readonly references: ReferencePolicy;
  readonly resourceIds: 'partition' | 'server';
}

/** What a writer works with. */
export interface UnitWriterParts {
  readonly connections: PostgresConnections;
  readonly dictionary: PostgresDictionary;
  readonly rowIds: RowIdBlocks;
  /** Every registered partition. */
  readonly partitions: () => Promise<readonly PartitionId[]>;
}

/** More resources than this in one statement gain nothing. */
const MOST_IN_STATEMENT = 500;

/** Longest time in milliseconds that the hooks of one unit may hold up its partition. */
const HOOKS_MS = 10_000;

/** A conflict, or what still has to be looked at: who holds a claim, or who refers to the resource. */
type Finding =
  | Exclude<WriteConflict, { kind: 'claim' | 'referenced' }>
  | { readonly kind: 'claim'; readonly claim: ClaimedChange }
  | { readonly kind: 'referenced'; readonly change: PreparedChange };

/** A statement of a write, what a refusal's ordinals mean, and who is told of its answer. */
interface Step {
  readonly statement: PgStatement;
  readonly find: (kind: string, ordinals: readonly number[]) => Finding | undefined;
  readonly tell?: (result: PgResult) => void;
}

/** Runs the statements in one transaction. */
type Send = (scope: readonly PartitionId[], steps: readonly Step[]) => Promise<readonly PgResult[]>;

/** Turns units into statements and runs them: see write-queue.ts for what is written together. */
export class PostgresUnitWriter {
  private readonly kept = new KeptPartitions();

  constructor(
    private readonly parts: UnitWriterParts,
    private readonly options: UnitWriterOptions,
  ) {}

  async prepare(unit: WriteUnit): Promise<PreparedUnit> {
    const creates = unit.changes.filter(({ kind }) => kind === 'create').length;
    const rowIds = await this.parts.rowIds.take(creates);
    return prepareUnit(
      unit,
      new RowNames(this.parts.dictionary, (added) => this.parts.dictionary.add(added)),
      rowIds,
    );
  }

  /** One round trip and one transaction for all of the units. */
  async writeTogether(units: readonly PreparedUnit[]): Promise<void> {
    const { connections } = this.parts;
    await this.run(units, (scope, steps) => connections.write(scope, statementsOf(steps), lockFor(units)));
  }

  /** A transaction that stays open for hooks. */
  async writeInTransaction(unit: PreparedUnit, beforeCommit: () => Promise<void>): Promise<void> {
    const { connections } = this.parts;
    await this.run([unit], (scope, steps) =>
      connections.transaction(
        scope,
        async (transaction) => {
          const results = await transaction.run(statementsOf(steps));
          await inTime(beforeCommit);
          return results;
        },
        lockFor([unit]),
      ),
    );
  }

  /** Anew where a refusal has taught that it is kept what a partition holds. */
  private async run(units: readonly PreparedUnit[], send: Send): Promise<void> {
    for (;;) {
      const { scope, steps } = await this.stepsOf(units);
      try {
        const results = await send(scope, steps);
        steps.forEach(({ tell }, index) => tell?.(results[index]!));
        return;
      } catch (error) {
        if (!this.learnsFrom(error)) throw await this.explain(error, steps);
      }
    }
  }

  private async stepsOf(
    units: readonly PreparedUnit[],
  ): Promise<{ readonly scope: readonly PartitionId[]; readonly steps: readonly Step[] }> {
    const changes = units.flatMap((unit) => unit.changes);
    const rules = await this.rulesFor(units);
    const written = inGroups(changes).map((group) => toWriteStatement(group, rules));
    const steps = [
      ...this.claimIds(changes),
      ...written.map(toStep),
      ...copySteps(units),
      ...unstage(units.flatMap(({ unit }) => unit.attaches ?? [])),
      ...assertUnreferenced(changes, this.loosePaths()),
      ...this.kept.stepsOf(units.map(({ unit }) => unit)),
    ];
    return { scope: scopeOf(written, rules), steps };
  }

  private learnsFrom(error: unknown): boolean {
    const refusal = refusalOf(error);
    if (refusal?.kind !== 'kept') return false;
    this.kept.learn(refusal.ordinals[0] ?? DEFAULT_PARTITION_ID);
    return true;
  }

  private async rulesFor(units: readonly PreparedUnit[]): Promise<TargetRules> {
    const changes = units.flatMap((unit) => unit.changes);
    const known = new Map<string, number>();
    for (const { change, partition, rowId } of changes) {
      if (change.kind !== 'delete') known.set(targetKey(partition, change.type, change.id), rowId);
    }
    const { dictionary } = this.parts;
    const targetTypes = changes.flatMap(({ links }) => links.flatMap(({ target }) => target?.type ?? []));
    if (targetTypes.some((type) => dictionary.typeId(type) === undefined)) await dictionary.catchUp();
    const { references: policy } = this.options;
    const written = units.map(({ unit }) => unit);
    return {
      policy,
      others: await this.otherPartitions(),
      known,
      typeId: (type) => dictionary.typeId(type),
      ownPartition: ({ partition }, type) =>
        NON_PARTITIONABLE_TYPES.has(type) ? DEFAULT_PARTITION_ID : partition,
      keepsUsage: (partition) => this.kept.has(partition, written),
    };
  }

  private async otherPartitions(): Promise<readonly PartitionId[]> {
    switch (this.options.references) {
      case 'same':
        return [];
      case 'default':
        return [DEFAULT_PARTITION_ID];
      case 'any':
        return [DEFAULT_PARTITION_ID, ...(await this.parts.partitions())];
    }
  }

  private claimIds(changes: readonly PreparedChange[]): readonly Step[] {
    if (this.options.resourceIds !== 'server') return [];
    return inGroups(changes.filter(({ change }) => change.kind === 'create')).map((group) => ({
      statement: {
        name: 'claim ids',
        text: WRITE_SQL.claimIds,
        values: [
          group[0]!.partition,
          group[0]!.date,
          int4Array(group.map(({ typeId }) => typeId)),
          textArray(group.map(({ change }) => (change.kind === 'create' ? change.id : ''))),
        ],
      },
      find: (_, [ordinal = 1]) => ({ kind: 'id-taken', change: group[ordinal - 1]!.change }),
    }));
  }

  /** What a refusal means in the words of the store's interface. */
  private async explain(error: unknown, steps: readonly Step[]): Promise<unknown> {
    const refusal = refusalOf(error);
    if (!refusal) return error;
    if (refusal.kind === 'gone') return new FhirError('UNKNOWN_PARTITION', 'The partition was deleted.');
    const step = steps.find(({ statement }) => statement === refusal.statement);
    const found = step?.find(refusal.kind, refusal.ordinals);
    if (found === undefined) return error;
    if (found.kind === 'claim') return new WriteConflictError(await this.claimConflict(found.claim));
    if (found.kind === 'referenced') return new WriteConflictError(await this.referenced(found.change));
    return new WriteConflictError(found);
  }

  /** Links on these keep nothing from being deleted. */
  private loosePaths(): Buffer {
    return int4Array(this.parts.dictionary.pathIds('reference', LOOSE_TYPE));
  }

  private async referenced({ change, partition, rowId }: PreparedChange): Promise<WriteConflict> {
    const values = [partition, rowId, this.loosePaths()];
    const statement = { name: 'referrers', text: WRITE_SQL.referrers, values };
    const [found] = await this.parts.connections.read([partition], [statement]);
    const rows = (found?.rows ?? []) as readonly (readonly [number, string])[];
    await this.parts.dictionary.knowTypes(rows.map(([typeId]) => typeId));
    const referrers: ResourceKey[] = rows.map(([typeId, id]) => {
      return { partition, type: this.parts.dictionary.typeName(typeId), id };
    });
    // Who referred to it may be gone by now: then the plan is made anew.
    return referrers.length === 0 ? { kind: 'version', change } : { kind: 'referenced', change, referrers };
  }

  private async claimConflict({ prepared, condition }: ClaimedChange): Promise<WriteConflict> {
    const { change, partition, typeId } = prepared;
    const values = [partition, typeId, toKeyText(condition)];
    const statement = { name: 'claim holder', text: WRITE_SQL.claimHolder, values };
    const [found] = await this.parts.connections.read([partition], [statement]);
    const holder = found?.rows[0]?.[0] as number | undefined;
    // Who held it may be gone by now: then the plan is made anew.
    return holder === undefined ? { kind: 'version', change } : { kind: 'claim', change, condition, holder };
  }
}

function toStep(written: WriteStatement): Step {
  const find = (kind: string, [ordinal = 1]: readonly number[]): Finding | undefined => {
    switch (kind) {
      case 'version':
        return { kind, change: written.changes[ordinal - 1]!.change };
      case 'claim':
        return { kind, claim: written.claimed[ordinal - 1]! };
      case 'late':
        return lateFinding(written, ordinal);
      case 'reference': {
        const { change, ...target } = written.sought[ordinal - 1]!;
        return { kind, change: change.change, reference: referenceOf(change.change, target) };
      }
      default:
        return undefined;
    }
  };
  return { statement: written.statement, find };
}

/** The horizon comes in the place of an ordinal. */
function lateFinding({ changes }: WriteStatement, horizon: number): Finding | undefined {
  const late = changes.find(({ change }) => change.updated <= horizon);
  return late && { kind: 'late', change: late.change, horizon };
}

/** After everything else: nothing that is deleted may still be referred to. */
function assertUnreferenced(changes: readonly PreparedChange[], loose: Buffer): readonly Step[] {
  const deleted = changes.filter(isGuarded);
  return [...Map.groupBy(deleted, ({ partition }) => partition)].map(([partition, group]) => ({
    statement: {
      name: 'assert unreferenced',
      text: WRITE_SQL.assertUnreferenced,
      values: [partition, int8Array(group.map(({ rowId }) => rowId)), loose],
    },
    find: (_, [ordinal = 1]) => ({ kind: 'referenced', change: group[ordinal - 1]! }),
  }));
}

function isGuarded({ change }: PreparedChange): boolean {
  return change.kind === 'delete' && change.referrers === 'forbid';
}

function isAlone({ changes, copies }: PreparedUnit): boolean {
  return changes.some(isGuarded) || copies.some(({ changed }) => changed.length > 0);
}

/** Nobody may come to refer to what is being deleted, or to what others have copies of while it changes. */
function lockFor(units: readonly PreparedUnit[]): PartitionLock {
  return units.some(isAlone) ? 'exclusive' : 'shared';
}

/** After all index rows and links. */
function copySteps(units: readonly PreparedUnit[]): readonly Step[] {
  return togetherByPartition(units.flatMap(({ copies }) => copies)).map((copies) => ({
    statement: copyStatement(copies),
    find: () => undefined,
  }));
}

function unstage(attaches: NonNullable<WriteUnit['attaches']>): readonly Step[] {
  return [...Map.groupBy(attaches, ({ partition }) => partition)].map(([partition, blobs]) => ({
    statement: {
      name: 'unstage',
      text: WRITE_SQL.unstage,
      values: [partition, textArray(blobs.map(({ id }) => id))],
    },
    find: () => undefined,
  }));
}

function statementsOf(steps: readonly Step[]): readonly PgStatement[] {
  return steps.map(({ statement }) => statement);
}

/** Changes of one partition and date; what replaces comes first, so that new references see what is deleted. */
function inGroups(changes: readonly PreparedChange[]): readonly (readonly PreparedChange[])[] {
  const keyed = Map.groupBy(changes, ({ change, partition, date }) => {
    const order = change.kind === 'create' ? 'create' : 'alter';
    return `${order} ${partition} ${date}`;
  });
  const groups = [...keyed].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  return groups.flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / MOST_IN_STATEMENT) }, (_, index) =>
      group.slice(index * MOST_IN_STATEMENT, (index + 1) * MOST_IN_STATEMENT),
    ),
  );
}

/** Partitions that are written to, and those in which targets are looked for. */
function scopeOf(written: readonly WriteStatement[], rules: TargetRules): readonly PartitionId[] {
  const partitions = new Set(written.map(({ partition }) => partition));
  for (const { sought } of written) {
    for (const { change, type } of sought) partitions.add(rules.ownPartition(change, type));
    if (sought.length > 0) for (const other of rules.others) partitions.add(other);
  }
  return [...partitions].toSorted((a, b) => a - b);
}

/** What never ends, or waits for a write of its own, must not hold up a partition for ever. */
async function inTime(work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(isLate()), HOOKS_MS);
  });
  try {
    await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function isLate(): Error {
  return new Error(
    `Hooks inside a transaction took longer than ${HOOKS_MS} ms; they must end soon, and must not wait for a write.`,
  );
}
