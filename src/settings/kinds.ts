import { z } from 'zod';

/** A sort of value: how it is read (from text or from JSON), and how it is told to people. */
export interface Kind<T> {
  readonly type: z.ZodType<T>;
  /** What is allowed, to stand after "expected". */
  readonly values: string;
  /** Why a value is refused, in place of repeating it. */
  readonly explain?: (value: unknown) => string | undefined;
}

/** One setting. */
export interface Setting<T> extends Kind<T> {
  readonly default: T;
  readonly description: string;
  /** Never printed. */
  readonly secret: boolean;
}

/** A setting with a default. */
export function setting<T>(kind: Kind<T>, value: NoInfer<T>, description: string): Setting<T> {
  return { ...kind, default: value, description, secret: false };
}

/** A setting that may be missing. */
export function optional<T>(kind: Kind<T>, description: string): Setting<T | undefined> {
  return { ...kind, default: undefined, description, secret: false };
}

/** A setting that may be missing and is never printed. */
export function secret<T>(kind: Kind<T>, description: string): Setting<T | undefined> {
  return { ...optional(kind, description), secret: true };
}

/** Any text but the empty one. */
export function text(values = 'text', shortest = 1): Kind<string> {
  return { type: z.string().trim().min(shortest), values };
}

/** An integer, as a number or in decimal digits. */
export function integer(least: number, most: number): Kind<number> {
  const digits = z
    .string()
    .trim()
    .regex(/^-?\d+$/)
    .transform(Number);
  return {
    type: z.union([z.number(), digits]).pipe(z.int().min(least).max(most)),
    values: `an integer from ${least} to ${most}`,
  };
}

const UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** A number of bytes: `1048576`, or with a unit: `32MiB`. */
export function bytes(): Kind<number> {
  const sized = z
    .string()
    .trim()
    .regex(/^\d+ ?(KiB|MiB|GiB)?$/)
    .transform((size) => Number.parseInt(size, 10) * (UNITS[size.replace(/[\d ]/g, '')] ?? 1));
  return {
    type: z.union([z.number(), sized]).pipe(z.int().min(1)),
    values: 'bytes, or a number with KiB, MiB or GiB',
  };
}

/** `true` or `false`. */
export function flag(): Kind<boolean> {
  const word = z.enum(['true', 'false']).transform((value) => value === 'true');
  return { type: z.union([z.boolean(), word]), values: '`true` or `false`' };
}

/** `auto`, `true` or `false`. */
export function autoFlag(): Kind<boolean | 'auto'> {
  return { type: z.union([flag().type, z.literal('auto')]), values: '`auto`, `true` or `false`' };
}

/** One of several words. */
export function oneOf<const Word extends string>(...words: readonly [Word, ...Word[]]): Kind<Word> {
  return { type: z.enum(words), values: words.map((word) => `\`${word}\``).join(', ') };
}

/** A list: comma-separated text, or an array of texts in JSON. */
export function list<T extends string>(item: z.ZodType<T, string>, values: string): Kind<readonly T[]> {
  const split = z.string().transform((items) => items.split(',').map((each) => each.trim()));
  return { type: z.union([z.array(z.string()), split]).pipe(z.array(item)), values };
}
