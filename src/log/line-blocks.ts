/** Takes blocks of bytes, in order. */
export interface BlockSink {
  write(block: Buffer): void;
  flush(done: (error?: Error) => void): void;
  flushSync(): void;
}

/** Lines as bytes, side by side in blocks: one system call for many lines. */
const BLOCK_BYTES = 64 * 1024;
/** Longest time that a line waits for neighbours, in milliseconds. */
const FLUSH_MS = 100;
/** The most bytes that one UTF-16 unit can become. */
const BYTES_PER_UNIT = 3;

/** Collects lines of text for a sink of bytes. Each is encoded once, where it stays until it is written. */
export class LineBlocks {
  private block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  private used = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly sink: BlockSink) {}

  write(line: string): void {
    const most = line.length * BYTES_PER_UNIT;
    if (this.used + most > BLOCK_BYTES) this.passOn();
    if (most > BLOCK_BYTES) {
      this.sink.write(Buffer.from(line));
      return;
    }
    this.used += this.block.write(line, this.used);
    this.timer ??= setTimeout(() => this.passOn(), FLUSH_MS).unref();
  }

  /** Calls back when every line so far is written. */
  flush(done: (error?: Error) => void): void {
    this.passOn();
    this.sink.flush(done);
  }

  flushSync(): void {
    this.passOn();
    this.sink.flushSync();
  }

  private passOn(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.used === 0) return;
    const lines = this.block.subarray(0, this.used);
    // The sink keeps what it is given until it is written.
    this.block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.used = 0;
    this.sink.write(lines);
  }
}
