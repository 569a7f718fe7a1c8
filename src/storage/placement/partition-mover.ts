import { setTimeout as pause } from 'node:timers/promises';
import { FhirError } from '../../model/errors.js';
import type { PartitionId, Placement } from '../../model/partition.js';
import type { StoredJob } from '../store.js';
import { knownMigrations } from '../sql/migrate.js';
import { bringBlobs } from './blob-transfer.js';
import type { Home, HomeProvider, MainRegistry, ResourceMark } from './home.js';
import type { HomeRouter } from './home-router.js';
import type { HomeKey, OpenHomes } from './open-homes.js';
import { type IndexOf, ResourceTransfer, type Route } from './resource-transfer.js';

/** Kind of the jobs that move partitions. */
export const MOVE_JOB = 'partition-move';

/** What a home that serves has applied. */
const LATEST = knownMigrations().at(-1) ?? null;

/** Resources that are copied in one transaction. */
const BATCH = 100;
/** Rows that are deleted in one transaction. */
const DRAIN_ROWS = 2_000;
/** A write gets its time before it waits for its turn: what is looked at again after the watermark. */
const MARGIN_MS = 30_000;
/** Writers are held up once so few resources were changed during one pass. */
const FEW = 200;
const MOST_PASSES = 10;
const MOST_ATTEMPTS = 5;
/** Other servers hear of the switch within a second; then nobody reads the old rows. */
export const HEARD_MS = 2_000;

/** What a move is asked for; stands in the job's parameters. */
export interface MoveParameters {
  readonly name: string;
  readonly from: Placement;
  readonly to: Placement;
}

/** How far a move has come; stands in the job's result, so that it goes on from there. */
export interface MoveProgress {
  readonly phase: 'copy' | 'drain' | 'done';
  /** The last resource that was walked past. */
  readonly after: ResourceMark | null;
  /** When the walk began: changes from then on are brought afterwards (ms since 1970). */
  readonly began: number;
  readonly copied: number;
  /** Milliseconds that writers were held up. */
  readonly paused: number;
  /** Rows left in the old place, at the end. */
  readonly left: number | null;
}

/** What a move works with. */
export interface MoverParts {
  readonly registry: MainRegistry;
  readonly router: HomeRouter;
  readonly homes: OpenHomes;
  readonly provider: HomeProvider;
  readonly resourceIds: 'partition' | 'server';
  /** Milliseconds from the switch until nobody reads the old rows. */
  readonly heardMs: number;
}

/** How a run of a move is watched. */
export interface MoveRun {
  readonly indexOf: IndexOf;
  /** Types whose values are copied, see CopyRule: copies are not brought. */
  readonly copiedTypes: () => readonly string[];
  readonly save: (progress: MoveProgress) => Promise<void>;
  /** Whether to stop where it can go on later. */
  readonly isStopped: () => boolean;
}

/**
 * Moves a partition to another home while it is in service. Resources are copied with their versions, links, claims
 * and blobs; then what has changed meanwhile, again and again until little is left; then writers wait while the rest
 * comes, both ends are counted and the directory is switched. Every step can be repeated, so that a move that was
 * killed goes on from its last saved progress.
 */
export class PartitionMover {
  constructor(private readonly parts: MoverParts) {}

  /** The job of a move, not yet saved. @throws FhirError INVALID_PARTITION, PARTITION_MOVING */
  async plan(id: string, partition: PartitionId, to: Placement): Promise<StoredJob> {
    const { registry, provider, router } = this.parts;
    await router.places.load();
    const place = router.places.placeOf(partition);
    if (!place) throw new FhirError('INVALID_PARTITION', 'The DEFAULT partition is always shared.');
    if (place.placement === to) throw new FhirError('INVALID_PARTITION', `The partition is ${to} already.`);
    const refusal = to === 'shared' ? undefined : provider.refusal(to);
    if (refusal !== undefined) throw new FhirError('INVALID_PARTITION', refusal);
    const jobs = await registry.jobs();
    const isOnItsWay = jobs.some(
      (job) => job.kind === MOVE_JOB && job.state === 'running' && job.partition === partition,
    );
    if (isOnItsWay) throw new FhirError('PARTITION_MOVING', 'The partition is being moved already.');
    const parameters: MoveParameters = { name: place.name, from: place.placement, to };
    return { id, kind: MOVE_JOB, partition, state: 'running', parameters: { ...parameters }, result: null };
  }

  /** Runs a move to its end, or until it is stopped. Answers the last progress. */
  async run(job: StoredJob, run: MoveRun): Promise<MoveProgress> {
    const parameters = job.parameters as unknown as MoveParameters;
    let progress = (job.result as unknown as MoveProgress | null) ?? begin();
    if (await this.isSwitched(job.partition, parameters)) progress = { ...progress, phase: 'drain' };
    if (progress.phase === 'copy') {
      progress = await this.bringAndSwitch(job.partition, parameters, { ...run, progress });
      await run.save(progress);
    }
    if (progress.phase === 'drain' && !run.isStopped()) {
      const left = await this.drain(job.partition, parameters, run);
      // Who was stopped goes on when a server starts: what stays in the old place would stay for good.
      progress = { ...progress, phase: left > 0 && run.isStopped() ? 'drain' : 'done', left };
    }
    return progress;
  }

  private async isSwitched(partition: PartitionId, { to }: MoveParameters): Promise<boolean> {
    await this.parts.router.places.load();
    const place = this.parts.router.places.placeOf(partition);
    return place?.placement === to && place.state !== 'moving';
  }

  private async bringAndSwitch(
    partition: PartitionId,
    parameters: MoveParameters,
    run: MoveRun & { readonly progress: MoveProgress },
  ): Promise<MoveProgress> {
    await this.makeTarget(partition, parameters);
    return this.withHomes(partition, parameters, async (source, target) => {
      // A run that was killed may have held up the writers.
      await this.serve(partition, parameters.from, source);
      if (target !== this.parts.router.main) await target.rows.setState(partition, 'paused');
      const route: Route = { partition, source: source.rows, target: target.rows };
      const moving = new OngoingMove(route, new ResourceTransfer(route, run.indexOf), run);
      for (let attempt = 1; await moving.copy(); attempt++) {
        await moving.catchUp();
        const began = performance.now();
        await this.holdUp(partition, parameters.from, source);
        // Who has looked whether copies are right in one place must not go by those of the other.
        await doubtCopies(partition, source, run);
        const isEqual = await moving.finish();
        if (isEqual) await this.switch(partition, parameters, { target, run });
        else await this.serve(partition, parameters.from, source);
        moving.pausedFor(performance.now() - began);
        if (isEqual) return { ...moving.progress, phase: 'drain' };
        if (attempt === MOST_ATTEMPTS) throw new Error('Both places still differ after all attempts.');
        moving.walkAgain();
      }
      return moving.progress;
    });
  }

  private async makeTarget(partition: PartitionId, { to }: MoveParameters): Promise<void> {
    const { provider, registry } = this.parts;
    if (to === 'shared') return registry.makeRoom(partition);
    if (await provider.exists(partition, to)) return;
    const home = await provider.make(partition, to, 'paused');
    await home.publish();
  }

  private withHomes<Result>(
    partition: PartitionId,
    { from, to }: MoveParameters,
    work: (source: Home, target: Home) => Promise<Result>,
  ): Promise<Result> {
    const own: HomeKey = { id: partition, placement: from === 'shared' ? to : from };
    const { homes, router } = this.parts;
    return homes.use(own, (home) =>
      from === 'shared' ? work(router.main, home) : this.withTarget(own, { to, home }, work),
    );
  }

  private withTarget<Result>(
    own: HomeKey,
    { to, home }: { readonly to: Placement; readonly home: Home },
    work: (source: Home, target: Home) => Promise<Result>,
  ): Promise<Result> {
    const { homes, router } = this.parts;
    if (to === 'shared') return work(home, router.main);
    return homes.use({ id: own.id, placement: to }, (target) => work(home, target));
  }

  /** Lets writers into the source. */
  private async serve(partition: PartitionId, from: Placement, source: Home): Promise<void> {
    if (from !== 'shared') await source.rows.setState(partition, 'active');
    await this.place(partition, from);
  }

  /** Holds up writers; those under way have ended when it resolves. */
  private async holdUp(partition: PartitionId, from: Placement, source: Home): Promise<void> {
    const migration = from === 'shared' ? null : LATEST;
    await this.parts.registry.place(partition, { placement: from, state: 'moving', migration });
    if (from !== 'shared') await source.rows.setState(partition, 'paused');
  }

  private async switch(
    partition: PartitionId,
    { to }: MoveParameters,
    { target, run }: { readonly target: Home; readonly run: MoveRun },
  ): Promise<void> {
    await doubtCopies(partition, target, run);
    if (to !== 'shared') await target.rows.setState(partition, 'active');
    await this.place(partition, to);
    await this.parts.router.places.load();
  }

  private async place(partition: PartitionId, placement: Placement): Promise<void> {
    const isShared = placement === 'shared';
    await this.parts.registry.place(partition, {
      placement,
      state: isShared ? 'active' : 'placed',
      migration: isShared ? null : LATEST,
    });
  }

  /** Removes the old rows; answers how many are left. */
  private async drain(partition: PartitionId, { from }: MoveParameters, run: MoveRun): Promise<number> {
    const { router, homes, provider } = this.parts;
    await pause(this.parts.heardMs);
    if (from !== 'shared') {
      await homes.evict({ id: partition, placement: from });
      await provider.remove(partition, from);
      return (await provider.exists(partition, from)) ? 1 : 0;
    }
    const { rows } = router.main;
    while ((await rows.drainSome(partition, DRAIN_ROWS)) > 0) if (run.isStopped()) break;
    const { resources, versions, indexRows } = await rows.contents(partition);
    // Ids that are unique on the whole server stay claimed where all claims are.
    return resources + versions + (this.parts.resourceIds === 'server' ? 0 : indexRows);
  }
}

/** Copies of the place wait to be renewed: searches follow references. */
async function doubtCopies(partition: PartitionId, { rows }: Home, run: MoveRun): Promise<void> {
  const mark = Date.now();
  const stale = run.copiedTypes().map((type) => ({ type, rowId: 0, mark }));
  if (stale.length > 0) await rows.copies.doubt(partition, stale);
}

function begin(): MoveProgress {
  return { phase: 'copy', after: null, began: Date.now(), copied: 0, paused: 0, left: null };
}

/** One run of a move, up to the switch. */
class OngoingMove {
  progress: MoveProgress;
  private readonly typeIds = new Set<number>();
  private since: number;

  constructor(
    private readonly route: Route,
    private readonly transfer: ResourceTransfer,
    private readonly run: MoveRun & { readonly progress: MoveProgress },
  ) {
    this.progress = run.progress;
    this.since = run.progress.began - MARGIN_MS;
  }

  pausedFor(milliseconds: number): void {
    this.progress = { ...this.progress, paused: this.progress.paused + Math.round(milliseconds) };
  }

  walkAgain(): void {
    this.progress = { ...this.progress, after: null };
  }

  /** Walks through all resources, then through all blobs; false where it was stopped. */
  async copy(): Promise<boolean> {
    const { partition, source } = this.route;
    for (;;) {
      if (this.run.isStopped()) return false;
      const marks = await source.marks(partition, this.progress.after, BATCH);
      if (marks.length === 0) break;
      const copied = this.progress.copied + (await this.transfer.bring(marks));
      this.progress = { ...this.progress, copied, after: marks.at(-1) ?? null };
      await this.run.save(this.progress);
    }
    await bringBlobs(this.route);
    return true;
  }

  async catchUp(): Promise<void> {
    for (let pass = 0; pass < MOST_PASSES; pass++) {
      if ((await this.bringChanged(Date.now())) < FEW) return;
    }
  }

  /** While writers wait: brings the rest; answers whether both ends are equal. */
  async finish(): Promise<boolean> {
    const { partition, source, target } = this.route;
    await this.bringChanged(Number.POSITIVE_INFINITY);
    await bringBlobs(this.route);
    await target.raiseHorizon(partition, await source.horizon(partition));
    await target.usage.bring(partition, await source.usage.read(partition));
    const [here, there] = await Promise.all([source.movedCounts(partition), target.movedCounts(partition)]);
    return JSON.stringify(here) === JSON.stringify(there);
  }

  private async bringChanged(until: number): Promise<number> {
    const began = Date.now();
    for (const typeId of await this.route.source.typeIds()) this.typeIds.add(typeId);
    const brought = await this.transfer.bringChanged([...this.typeIds], this.since, until);
    this.since = began - MARGIN_MS;
    this.progress = { ...this.progress, copied: this.progress.copied + brought };
    return brought;
  }
}
