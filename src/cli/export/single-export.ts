import type { ExportProgress } from '../../export/export-progress.js';
import { progressOf } from '../../export/export-progress.js';
import type { PartitionScope } from '../../model/partition.js';
import type {
  ExportClaim,
  ExportFile,
  ExportJob,
  ExportJobStore,
  ExportOutcome,
  MatchList,
  NewExportJob,
} from '../../storage/export-store.js';
import { RowIds } from './row-ids.js';

/**
 * One export, known to this process alone and as long as it runs: no server takes it on, and nothing is left of it in
 * the database. Whoever claims it has it until it is given back.
 */
export class SingleExport implements ExportJobStore {
  private stored: ExportJob | undefined;
  private finished: readonly ExportFile[] = [];
  private readonly lists = new Map<string, RowIds>();
  private dueAt = 0;
  private token = 0;
  /** Resources that were read since the progress was saved. */
  private read = 0;

  /** `clock`: milliseconds since 1970 UTC. */
  constructor(private readonly clock: () => number) {}

  /** @throws Error before it was asked for */
  get job(): ExportJob {
    if (this.stored) return this.stored;
    throw new Error('No export was asked for.');
  }

  get outputFiles(): readonly ExportFile[] {
    return this.finished;
  }

  /** As of now, while it is worked on; null until what it consists of is decided. */
  get progress(): ExportProgress | null {
    const saved = progressOf(this.job);
    return saved && { ...saved, done: saved.done + this.read };
  }

  /** Counts what is read between two savings. */
  countRead(resources: number): void {
    this.read += resources;
  }

  create(job: NewExportJob): Promise<boolean> {
    this.stored = {
      ...job,
      state: 'waiting',
      at: null,
      progress: null,
      error: null,
      attempts: 0,
      ended: null,
    };
    return Promise.resolve(true);
  }

  countOpen(): Promise<number> {
    return Promise.resolve(this.stored && this.stored.ended === null ? 1 : 0);
  }

  find(_scope: PartitionScope, id: string): Promise<ExportJob | undefined> {
    return Promise.resolve(this.stored?.id === id ? this.stored : undefined);
  }

  files(): Promise<readonly ExportFile[]> {
    return Promise.resolve(this.finished);
  }

  claim(): Promise<ExportClaim | undefined> {
    const { stored } = this;
    if (stored?.state !== 'waiting' || this.clock() < this.dueAt) return Promise.resolve(undefined);
    this.token += 1;
    this.read = 0;
    const job = this.change({ state: 'running', attempts: stored.attempts + 1 });
    return Promise.resolve({ job, token: this.token });
  }

  hasDue(): Promise<boolean> {
    return Promise.resolve(false);
  }

  renew(claim: ExportClaim): Promise<boolean> {
    return this.changeBy(claim, {});
  }

  saveFrozen(claim: ExportClaim, at: number, progress: string): Promise<boolean> {
    return this.changeBy(claim, { at, progress });
  }

  clearMatches(): Promise<boolean> {
    this.lists.clear();
    return Promise.resolve(true);
  }

  addMatches(_claim: ExportClaim, lists: readonly MatchList[]): Promise<boolean> {
    for (const { list: name, rowIds } of lists) {
      const list = this.lists.get(name) ?? new RowIds();
      list.add(rowIds);
      this.lists.set(name, list);
    }
    return Promise.resolve(true);
  }

  matches(_claim: ExportClaim, type: string, after: number, limit: number): Promise<readonly number[]> {
    return Promise.resolve(this.lists.get(type)?.above(after, limit) ?? []);
  }

  countMatches(_claim: ExportClaim, type: string): Promise<number> {
    return Promise.resolve(this.lists.get(type)?.size ?? 0);
  }

  saveProgress(claim: ExportClaim, files: readonly ExportFile[], progress: string): Promise<boolean> {
    this.keep(files);
    // What was read of the next part meanwhile is not saved yet.
    const before = progressOf(this.job)?.done ?? 0;
    this.read -= Math.min(this.read, (JSON.parse(progress) as ExportProgress).done - before);
    return this.changeBy(claim, { progress, attempts: 1 });
  }

  release(claim: ExportClaim, dueAt: number, attempt: 'kept' | 'taken back'): Promise<boolean> {
    this.dueAt = dueAt;
    const { attempts } = this.job;
    const counted = attempt === 'kept' ? attempts : Math.max(0, attempts - 1);
    return this.changeBy(claim, { state: 'waiting', attempts: counted });
  }

  end(claim: ExportClaim, outcome: ExportOutcome): Promise<boolean> {
    if (outcome.state === 'failed')
      return this.changeBy(claim, { state: 'failed', error: outcome.error, ended: this.clock() });
    this.keep(outcome.files);
    this.read = 0;
    return this.changeBy(claim, { state: 'complete', progress: outcome.progress, ended: this.clock() });
  }

  cancel(): Promise<boolean> {
    if (this.job.ended !== null) return Promise.resolve(false);
    this.token += 1;
    this.change({ state: 'cancelled', ended: this.clock() });
    return Promise.resolve(true);
  }

  removable(): Promise<readonly ExportJob[]> {
    return Promise.resolve([]);
  }

  remove(): Promise<void> {
    return Promise.resolve();
  }

  async cancelAll(): Promise<void> {
    await this.cancel();
  }

  ids(): Promise<ReadonlySet<string>> {
    return Promise.resolve(new Set(this.stored ? [this.stored.id] : []));
  }

  private keep(files: readonly ExportFile[]): void {
    this.finished = [...this.finished, ...files];
  }

  private changeBy({ token }: ExportClaim, changes: Partial<ExportJob>): Promise<boolean> {
    if (token !== this.token || this.job.ended !== null) return Promise.resolve(false);
    this.change(changes);
    return Promise.resolve(true);
  }

  private change(changes: Partial<ExportJob>): ExportJob {
    return (this.stored = { ...this.job, ...changes });
  }
}
