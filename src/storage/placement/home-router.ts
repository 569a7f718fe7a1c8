import { setTimeout as pause } from 'node:timers/promises';
import { FhirError } from '../../model/errors.js';
import type { PartitionId, PartitionScope } from '../../model/partition.js';
import { WriteConflictError } from '../store.js';
import type { Home, PartitionPlace } from './home.js';
import type { OpenHomes } from './open-homes.js';
import type { Places } from './places.js';
import { Turns } from './turns.js';

/** Homes that one request reads at the same time. */
const MOST_AT_ONCE = 8;
/** Homes that all requests over several of them read at the same time: a home in use is not closed. */
const MOST_OF_ALL = 32;
/** Longest wait of a writer for the switch of its partition to another home, in milliseconds. */
const LONGEST_PAUSE_MS = 10_000;
const RETRY_MS = 10;
/** Who keeps writers out to see whether a partition is empty, has seen it long before; in milliseconds. */
const ABANDONED_MS = 2_000;

/** A part of a scope that is in one home. */
interface HomeScope {
  /** Undefined: the main database. */
  readonly place: PartitionPlace | undefined;
  readonly scope: PartitionScope;
}

/** Finds the home of a partition, also while it is being moved. */
export class HomeRouter {
  private readonly restoring = new Map<PartitionId, Promise<void>>();
  private readonly visits = new Turns(MOST_OF_ALL);

  constructor(
    readonly main: Home,
    readonly places: Places,
    private readonly homes: OpenHomes,
  ) {}

  /** Runs `work` on the home of a partition. */
  use<Result>(partition: PartitionId, work: (home: Home) => Promise<Result>): Promise<Result> {
    const place = this.places.homeOf(partition);
    return place === undefined ? work(this.main) : this.useOf(place, work);
  }

  /** Runs `work` on every home of the scope, with what the home has of the scope; the main database comes first. */
  async each<Result>(
    scope: PartitionScope,
    work: (home: Home, scope: PartitionScope) => Promise<Result>,
  ): Promise<readonly Result[]> {
    const parts = this.split(scope);
    const results = Array.from<Result>({ length: parts.length });
    let next = 0;
    const walk = async (): Promise<void> => {
      for (let index = next++; index < parts.length; index = next++) {
        const { place, scope: part } = parts[index]!;
        const run = (home: Home): Promise<Result> => work(home, part);
        if (place === undefined) results[index] = await run(this.main);
        // Whoever reads one home does not wait for those who read many.
        else if (parts.length === 1) results[index] = await this.useOf(place, run);
        else results[index] = await this.visits.run(() => this.useOf(place, run));
      }
    };
    await Promise.all(Array.from({ length: Math.min(MOST_AT_ONCE, parts.length) }, walk));
    return results;
  }

  /** Whether the whole scope is in one home. */
  isTogether(scope: PartitionScope): boolean {
    return scope.partitions.length === 1 || this.places.isShared(scope);
  }

  /** The home that holds the whole scope, for scopes that are together. */
  useTogether<Result>(scope: PartitionScope, work: (home: Home) => Promise<Result>): Promise<Result> {
    return this.use(scope.partitions[0]!, work);
  }

  /** The chunks of a stream, from one home after the other where the partition moves meanwhile. */
  async *stream<Item>(
    partition: PartitionId,
    work: (home: Home, from: number) => AsyncIterable<Item>,
  ): AsyncIterable<Item> {
    for (let from = 0; ;) {
      const place = this.places.homeOf(partition);
      const items = place ? this.homes.stream(place, (home) => work(home, from)) : work(this.main, from);
      try {
        for await (const item of items) {
          from++;
          yield item;
        }
        await this.places.load();
        if (this.places.homeOf(partition)?.placement === place?.placement) return;
      } catch (error) {
        if (!place || !(await this.hasLeft(place, error))) throw error;
      }
    }
  }

  /**
   * Runs a write. Where a home says that the partition is not in service there, it may have moved, or be about to:
   * then the write waits for the switch and goes on in the new home.
   * @throws FhirError UNKNOWN_PARTITION for a partition that has gone, BUSY where the switch takes too long
   */
  async write<Result>(partition: PartitionId, work: (home: Home) => Promise<Result>): Promise<Result> {
    for (let end: number | undefined; ;) {
      try {
        return await this.use(partition, work);
      } catch (error) {
        if (!isNotInService(error) || !(await this.isInService(partition))) throw error;
        end ??= performance.now() + LONGEST_PAUSE_MS;
        if (performance.now() > end) throw isMoving(error);
        if (performance.now() > end - LONGEST_PAUSE_MS + ABANDONED_MS) await this.restore(partition);
        await pause(RETRY_MS);
      }
    }
  }

  /** Whether the directory has the partition in service, here or elsewhere. */
  async isInService(partition: PartitionId): Promise<boolean> {
    await this.places.load();
    const place = this.places.placeOf(partition);
    return place !== undefined && place.state !== 'purging';
  }

  /**
   * Whoever kept writers out of a home to delete its partition may have been killed: the directory has the partition
   * in service, and its home has not.
   */
  private async restore(partition: PartitionId): Promise<void> {
    if (this.places.placeOf(partition)?.state !== 'placed') return;
    const restoring =
      this.restoring.get(partition) ??
      this.places.exclusively(partition, async (place) => {
        if (place?.state !== 'placed') return;
        await this.homes.use(place, ({ rows }) => rows.setState(partition, 'active'));
      });
    this.restoring.set(partition, restoring);
    try {
      await restoring;
    } finally {
      this.restoring.delete(partition);
    }
  }

  private async useOf<Result>(place: PartitionPlace, work: (home: Home) => Promise<Result>): Promise<Result> {
    try {
      return await this.homes.use(place, work);
    } catch (error) {
      if (!(await this.hasLeft(place, error))) throw error;
      const now = this.places.homeOf(place.id);
      return now ? this.homes.use(now, work) : work(this.main);
    }
  }

  /**
   * Whether an error of a home comes from the partition having moved to another one, where the work may be done again.
   * @throws FhirError UNKNOWN_PARTITION where the partition has gone, and its home with it
   */
  private async hasLeft(place: PartitionPlace, error: unknown): Promise<boolean> {
    if (!isNotInService(error) && !isFailure(error)) return false;
    await this.places.load();
    const now = this.places.placeOf(place.id);
    if (now === undefined || now.state === 'purging') throw isNotInService(error) ? error : hasGone(error);
    return now.placement !== place.placement && !isUnknownOutcome(error);
  }

  private split(scope: PartitionScope): readonly HomeScope[] {
    const shared = scope.partitions.filter((partition) => this.places.homeOf(partition) === undefined);
    const placed = scope.partitions.flatMap((partition) => this.places.homeOf(partition) ?? []);
    return [
      ...(shared.length === 0 ? [] : [{ place: undefined, scope: { ...scope, partitions: shared } }]),
      ...placed.map((place) => ({ place, scope: { ...scope, partitions: [place.id] } })),
    ];
  }
}

/** The error of a write that waited too long. */
export function isMoving(cause: unknown): FhirError {
  const message = 'The partition is being moved to another place.';
  return new FhirError('BUSY', message, { cause, headers: { 'Retry-After': '2' } });
}

/** What a home throws for a partition that it does not serve. */
export function isNotInService(error: unknown): boolean {
  return error instanceof FhirError && error.code === 'UNKNOWN_PARTITION';
}

/** A home that is taken away under its users fails in ways that are its database's own. */
function isFailure(error: unknown): boolean {
  if (error instanceof FhirError) return error.status >= 500;
  return !(error instanceof WriteConflictError);
}

/** Such a write may have been committed: to repeat it might do it twice. */
function isUnknownOutcome(error: unknown): boolean {
  return error instanceof FhirError && error.code === 'OUTCOME_UNKNOWN';
}

function hasGone(cause: unknown): FhirError {
  return new FhirError('UNKNOWN_PARTITION', 'The partition was deleted.', { cause });
}
