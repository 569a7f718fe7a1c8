import type { OutputFile } from '../output-store.js';

/** How a store makes one file. */
export interface FileWriter {
  append(chunk: Uint8Array): Promise<void>;
  /** Makes it stand under its key, for good. */
  keep(): Promise<void>;
  /** Removes every trace; also of what was kept but for a failure at the very end. */
  discard(): Promise<void>;
}

/**
 * What every store promises of a file, whoever uses it: a file of which any piece is missing never comes to stand under
 * its key, and what failed is cleared away.
 */
export class StrictFile implements OutputFile {
  private state: 'open' | 'broken' | 'ended' = 'open';
  private busy = false;

  constructor(
    private readonly key: string,
    private readonly writer: FileWriter,
  ) {}

  write(chunk: Uint8Array): Promise<void> {
    return this.alone(() => this.writer.append(chunk));
  }

  async finish(): Promise<void> {
    await this.alone(() => this.writer.keep());
    this.state = 'ended';
  }

  async abort(): Promise<void> {
    if (this.state !== 'open') return;
    this.state = 'ended';
    await this.writer.discard();
  }

  private async alone(work: () => Promise<void>): Promise<void> {
    if (this.state !== 'open') throw new Error(`${this.key}: ${REFUSALS[this.state]}.`);
    if (this.busy) throw new Error(`${this.key}: the call before has not ended.`);
    this.busy = true;
    try {
      await work();
    } catch (error) {
      await this.fail();
      throw error;
    } finally {
      this.busy = false;
    }
  }

  /** What cannot be cleared away now either is left to the removal of the job; why it failed is worth more. */
  private async fail(): Promise<void> {
    if (this.state !== 'open') return;
    this.state = 'broken';
    await this.writer.discard().catch(() => undefined);
  }
}

const REFUSALS = { broken: 'a piece of the file is missing', ended: 'the file has ended' } as const;
