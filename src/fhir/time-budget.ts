import { createContext, Script } from 'node:vm';

/** Work that was not done in its time, and was ended wherever it stood. */
export class TimeSpent extends Error {
  override readonly name = 'TimeSpent';
}

/** A script whose one call is watched. */
interface Watch {
  readonly script: Script;
  readonly context: { run: () => void };
}

let made: Watch | undefined;

/**
 * Does the work, which must be synchronous, in `milliseconds` or not at all: V8's own watchdog ends what a script calls,
 * wherever that was compiled. It costs a quarter of a millisecond. What is ended half way must leave nothing behind.
 * @throws TimeSpent, and what the work throws
 */
export function withinTime<Result>(milliseconds: number, work: () => Result): Result {
  const { script, context } = (made ??= makeWatch());
  let result: { readonly value: Result } | undefined;
  context.run = () => {
    result = { value: work() };
  };
  try {
    script.runInContext(context, { timeout: milliseconds });
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new TimeSpent(`it takes longer than ${milliseconds} ms`, { cause: error });
  }
  if (!result) throw new Error('The work was not done.');
  return result.value;
}

function makeWatch(): Watch {
  const context = { run: () => undefined };
  createContext(context);
  return { script: new Script('run()'), context };
}
