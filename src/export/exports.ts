import type { PartitionId } from '../model/partition.js';
import type { ExportJobStore } from '../storage/export-store.js';
import type { OutputStore } from '../storage/output-store.js';
import { ExportRunner, type ExportRunnerParts } from './export-runner.js';
import { ExportSweeper } from './export-sweeper.js';
import { PollLimit } from './poll-limit.js';

/** The bulk exports of a server: what requests look at, and what goes on beside them. */
export class Exports {
  readonly jobs: ExportJobStore;
  readonly output: OutputStore;
  readonly runner: ExportRunner;
  readonly sweeper: ExportSweeper;
  readonly polls: PollLimit;
  /** How long an export is kept after its end, in milliseconds. */
  readonly lifetime: number;

  constructor(private readonly parts: ExportRunnerParts) {
    this.jobs = parts.jobs;
    this.output = parts.output;
    this.runner = new ExportRunner(parts);
    this.sweeper = new ExportSweeper(parts);
    this.polls = new PollLimit(parts.clock);
    this.lifetime = parts.limits.lifetime;
  }

  /** The same with other parts: for an export that is worked on apart from all others. */
  with(change: (parts: ExportRunnerParts) => ExportRunnerParts): Exports {
    return new Exports(change(this.parts));
  }

  /** Looks for something to do; returns at once. */
  wake(): void {
    this.runner.wake();
    this.sweeper.wake();
  }

  /** Gives back what is worked on. */
  async stop(): Promise<void> {
    await this.runner.stop();
    await this.sweeper.stop();
  }

  /** Ends the exports of a partition that is no more, and removes their files. */
  async removePartition(partition: PartitionId): Promise<void> {
    await this.jobs.cancelAll(partition);
    await this.output.removePartition(partition);
  }
}
