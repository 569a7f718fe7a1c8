/** Of a page as exports ask for them, with room for the text that goes beyond. */
const USUAL_BYTES = 4 * 2 ** 20 + 64 * 1024;
/** Before the bytes of a block stands whether it is in use. */
const HEADER_BYTES = 8;
const MOST_BLOCKS = 6;
/** What is not asked for in this time, in milliseconds, is given up. */
const IDLE_MS = 10_000;

const FREE = 0;
const USED = 1;

/**
 * Memory for the lines of pages. It is used again, in whatever thread it was given up: memory that is made anew for each
 * page costs more than reading what goes into it, as its pages have to be found, and garbage to be collected.
 */
export class PageMemory {
  private blocks: SharedArrayBuffer[] = [];
  private timer: NodeJS.Timeout | undefined;

  /** Nobody else has it until it is given back. What is in it is left over from others, and is not to be looked at. */
  take(bytes: number): Buffer {
    this.watch();
    const block = this.blocks.find((one) => isFree(one) && one.byteLength - HEADER_BYTES >= bytes);
    return bytesOf(mark(block ?? this.make(bytes), USED));
  }

  private make(bytes: number): SharedArrayBuffer {
    const block = new SharedArrayBuffer(HEADER_BYTES + Math.max(bytes, USUAL_BYTES));
    // What was lost on its way is the oldest one day.
    if (this.blocks.length >= MOST_BLOCKS) this.blocks.shift();
    this.blocks.push(block);
    return block;
  }

  private watch(): void {
    this.timer ??= setTimeout(() => {
      this.blocks = [];
    }, IDLE_MS).unref();
    this.timer.refresh();
  }
}

/** The page with what gives back its memory, however often it is called. */
export function releasable<Page extends { readonly lines: Uint8Array }>(
  page: Page,
): Page & { readonly release: () => void } {
  let lines: Uint8Array | undefined = page.lines;
  const release = (): void => {
    if (lines) giveBack(lines);
    lines = undefined;
  };
  return { ...page, release };
}

/** Gives back what `take` gave, or part of it, once; does nothing for other memory. It must not be used afterwards. */
export function giveBack(bytes: Uint8Array): void {
  if (bytes.buffer instanceof SharedArrayBuffer) mark(bytes.buffer, FREE);
}

function bytesOf(block: SharedArrayBuffer): Buffer {
  return Buffer.from(block, HEADER_BYTES);
}

function isFree(block: SharedArrayBuffer): boolean {
  return Atomics.load(new Int32Array(block, 0, 1), 0) === FREE;
}

function mark(block: SharedArrayBuffer, state: number): SharedArrayBuffer {
  Atomics.store(new Int32Array(block, 0, 1), 0, state);
  return block;
}
