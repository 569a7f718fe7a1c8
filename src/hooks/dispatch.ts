import type { MaybePromise } from './pointcuts.js';

/** One hook as the registry keeps it. */
export interface HookEntry {
  /** Name of the interceptor. */
  readonly interceptor: string;
  readonly order: number;
  readonly handle: (event: object) => unknown;
}

/** Told of an error that stops nothing. */
export type Swallow = (entry: HookEntry, error: unknown) => void;

/** What each interceptor that was asked answered, in order. */
export interface Asked<Answer> {
  readonly interceptor: string;
  readonly answer: Answer | undefined;
}

/** The outcome of a decide pointcut with its reasons; `by` is the interceptor that decided. */
export interface Decision<Answer> {
  readonly answer: Answer | undefined;
  readonly by: string | undefined;
  readonly asked: readonly Asked<Answer>[];
}

/** `handled`: a hook has written the response, and nothing else may. */
export type Verdict = 'proceed' | 'handled';

/** Whether a veto hook may answer `false`, or can only throw. */
export type Refusal = 'throw' | 'throw-or-false';

/** Refuses a replacement that a transform hook may not answer: the reason, or undefined. */
export type ReplacementCheck = (before: unknown, after: unknown) => string | undefined;

type Entries = readonly HookEntry[];

/** True for a value that must be awaited. JSON has no functions, so no resource looks like one. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

/** Tells every hook, from index `start` on. An error ends the walk. */
export function observeAll(entries: Entries, event: object, start = 0): MaybePromise<void> {
  for (let index = start; index < entries.length; index += 1) {
    const answer = entryAt(entries, index).handle(event);
    if (isPromise(answer)) return answer.then(() => observeAll(entries, event, index + 1));
  }
  return undefined;
}

/** Tells every hook, also after one has failed. */
export function observeSafely(
  entries: Entries,
  event: object,
  swallow: Swallow,
  start = 0,
): MaybePromise<void> {
  for (let index = start; index < entries.length; index += 1) {
    const done = tellSafely(entryAt(entries, index), event, swallow);
    if (isPromise(done)) return done.then(() => observeSafely(entries, event, swallow, index + 1));
  }
  return undefined;
}

/** Asks until a hook throws or answers `false`. */
export function vetoAll(entries: Entries, event: object, refusal: Refusal, start = 0): MaybePromise<Verdict> {
  for (let index = start; index < entries.length; index += 1) {
    const entry = entryAt(entries, index);
    const answer = entry.handle(event);
    if (isPromise(answer)) {
      return answer.then((late) =>
        isHandled(entry, late, refusal) ? 'handled' : vetoAll(entries, event, refusal, index + 1),
      );
    }
    if (isHandled(entry, answer, refusal)) return 'handled';
  }
  return 'proceed';
}

/** Asks until a hook answers. */
export function decideFirst(entries: Entries, event: object, start = 0): MaybePromise<unknown> {
  for (let index = start; index < entries.length; index += 1) {
    const answer = entryAt(entries, index).handle(event);
    if (isPromise(answer)) {
      return answer.then((late) => (late === undefined ? decideFirst(entries, event, index + 1) : late));
    }
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** As `decideFirst`, and keeps who was asked. */
export async function decideTraced(entries: Entries, event: object): Promise<Decision<unknown>> {
  const asked: Asked<unknown>[] = [];
  for (const { interceptor, handle } of entries) {
    const answer = await handle(event);
    asked.push({ interceptor, answer });
    if (answer !== undefined) return { answer, by: interceptor, asked };
  }
  return { answer: undefined, by: undefined, asked };
}

/** What the hooks of a transform pointcut may answer. */
export interface TransformRules {
  readonly check: ReplacementCheck;
  /** Where a hook answers this, no further one is asked; undefined: all of them are. */
  readonly last?: unknown;
}

/** Runs `value` through every hook. */
export function transformAll(
  entries: Entries,
  event: object,
  initial: unknown,
  rules: TransformRules,
): MaybePromise<unknown> {
  let value = initial;
  for (const [index, entry] of entries.entries()) {
    if (value === rules.last) return value;
    const before = value;
    const answer = entry.handle(Object.freeze({ ...event, value }));
    if (isPromise(answer)) {
      return answer.then((late) =>
        transformAll(entries.slice(index + 1), event, replaced(entry, before, late, rules.check), rules),
      );
    }
    value = replaced(entry, before, answer, rules.check);
  }
  return value;
}

function entryAt(entries: Entries, index: number): HookEntry {
  return entries[index] as HookEntry;
}

function tellSafely(entry: HookEntry, event: object, swallow: Swallow): unknown {
  try {
    const answer = entry.handle(event);
    return isPromise(answer) ? answer.then(undefined, (error: unknown) => swallow(entry, error)) : undefined;
  } catch (error) {
    swallow(entry, error);
    return undefined;
  }
}

function isHandled(entry: HookEntry, answer: unknown, refusal: Refusal): boolean {
  if (answer === undefined) return false;
  if (refusal === 'throw-or-false' && typeof answer === 'boolean') return !answer;
  // An answer that means nothing may have been meant as a refusal, so it must not pass as consent.
  throw new TypeError(`Interceptor "${entry.interceptor}" answered ${String(answer)}: throw to refuse.`);
}

function replaced(entry: HookEntry, before: unknown, answer: unknown, check: ReplacementCheck): unknown {
  if (answer === undefined || answer === before) return before;
  const problem = check(before, answer);
  if (problem === undefined) return answer;
  throw new TypeError(`Interceptor "${entry.interceptor}" answered a wrong replacement: ${problem}.`);
}
