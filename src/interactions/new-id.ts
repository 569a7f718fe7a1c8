import { randomBytes } from 'node:crypto';

/** Random digits are fetched for many ids at once: asking the system for a few bytes costs more than the id. */
const POOL_BYTES = 4096;
/** Hexadecimal digits of one id that are random: a digit of the variant among them, of which two bits are. */
const RANDOM_DIGITS = 19;
/** The first digit after the version of https://www.rfc-editor.org/rfc/rfc9562#section-4.1, by what it was drawn as. */
const VARIANT: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from({ length: 16 }, (_, drawn) => [drawn.toString(16), (8 + (drawn % 4)).toString(16)]),
);

/**
 * Makes UUIDv7 ids (https://www.rfc-editor.org/rfc/rfc9562#section-5.7): they sort by time, which keeps indexes
 * dense, and tell nothing of how many resources others have.
 */
export function uuidMaker(clock: () => number): () => string {
  let pool = '';
  let at = 0;
  let time = NaN;
  let begin = '';
  return () => {
    if (at + RANDOM_DIGITS > pool.length) [pool, at] = [randomBytes(POOL_BYTES).toString('hex'), 0];
    const now = clock();
    if (now !== time) [time, begin] = [now, timeDigits(now)];
    const first = pool.slice(at, at + 3);
    const variant = VARIANT[pool[at + 3]!]!;
    const second = pool.slice(at + 4, at + 7);
    const last = pool.slice(at + 7, (at += RANDOM_DIGITS));
    return `${begin}-7${first}-${variant}${second}-${last}`;
  };
}

/** Ids of the same millisecond begin alike. */
function timeDigits(milliseconds: number): string {
  const time = Math.floor(milliseconds).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}`;
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
