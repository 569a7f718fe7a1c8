import { type FileHandle, open } from 'node:fs/promises';
import { FhirError } from '../../../model/errors.js';
import type { Synchronous } from './open.js';

const LOST =
  'The write-ahead log did not get to the disk. The server must be restarted once the disk is in order: what a ' +
  'disk has failed to keep once, a later success does not bring back.';

/**
 * Brings the write-ahead log of a file to the disk in a thread of the pool, so that neither the event loop nor the next
 * transaction waits for it. Commits that come meanwhile share the next turn.
 */
export class LogSync {
  private log: Promise<FileHandle> | undefined;
  private running: Promise<void> = Promise.resolve();
  private waiting: Promise<void> | undefined;
  private broken: FhirError | undefined;

  /** With `normal` nobody waits for the disk. */
  constructor(
    private readonly file: string,
    private readonly synchronous: Synchronous,
  ) {}

  /** Ends when all that was committed before is on disk. @throws FhirError OUTCOME_UNKNOWN */
  reached(): Promise<void> {
    if (this.synchronous === 'normal') return Promise.resolve();
    this.waiting ??= this.begin();
    return this.waiting;
  }

  /** @throws FhirError OUTCOME_UNKNOWN after the disk has failed once */
  assertWhole(): void {
    if (this.broken) throw this.broken;
  }

  /** Ends when everybody has been told. */
  async close(): Promise<void> {
    await this.waiting?.catch(ignored);
    await this.running.catch(ignored);
    await (await this.log?.catch(ignored))?.close();
  }

  private async begin(): Promise<void> {
    await this.running.catch(ignored);
    this.waiting = undefined;
    this.running = this.sync();
    return this.running;
  }

  private async sync(): Promise<void> {
    this.assertWhole();
    try {
      this.log ??= open(`${this.file}-wal`, 'r+');
      await (await this.log).datasync();
    } catch (cause) {
      this.broken = new FhirError('OUTCOME_UNKNOWN', LOST, { cause });
      throw this.broken;
    }
  }
}

/** Whoever waits for the disk has been told. */
function ignored(): undefined {
  return undefined;
}
