import { randomBytes } from 'node:crypto';

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
/** Random bytes are fetched for many ids at once: asking the system for sixteen costs more than the id. */
const POOL_BYTES = 4096;

/**
 * Makes UUIDv7 ids (https://www.rfc-editor.org/rfc/rfc9562#section-5.7): they sort by time, which keeps indexes
 * dense, and tell nothing of how many resources others have.
 */
export function uuidMaker(clock: () => number): () => string {
  let pool = Buffer.alloc(0);
  let at = 0;
  return () => {
    if (at + 10 > pool.length) [pool, at] = [randomBytes(POOL_BYTES), 0];
    const random = pool.subarray(at, (at += 10));
    return formatUuid(clock(), random);
  };
}

function formatUuid(milliseconds: number, random: Buffer): string {
  const time = Math.floor(milliseconds).toString(16).padStart(12, '0');
  const hex = (index: number): string => HEX[random[index]!]!;
  const version = (0x70 | (random[0]! & 0x0f)).toString(16);
  const variant = (0x80 | (random[2]! & 0x3f)).toString(16);
  const tail = hex(4) + hex(5) + hex(6) + hex(7) + hex(8) + hex(9);
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}${hex(1)}-${variant}${hex(3)}-${tail}`;
}

const BLOCK = 200;

/**
 * Makes sequential numbers as ids, in blocks that are taken from the database: several servers never give out the
 * same one, and numbers of a block that a server did not use are lost.
 */
export function numberMaker(take: (count: number) => Promise<number>): () => Promise<string> {
  const block = { next: 0, end: 0 };
  let refill: Promise<void> | undefined;
  const takeBlock = async (): Promise<void> => {
    block.next = await take(BLOCK);
    block.end = block.next + BLOCK;
    refill = undefined;
  };
  return async () => {
    while (block.next >= block.end) await (refill ??= takeBlock());
    return String(block.next++);
  };
}

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Whether an id has the form of those that the server gives out. */
export function looksServerAssigned(id: string, kind: 'uuid' | 'sequential'): boolean {
  return (kind === 'uuid' ? UUID_V7 : /^[1-9]\d*$/).test(id);
}
