import { EXIT } from './exit-codes.js';

/** Where a command writes, and what it is started with. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that relative paths are in. */
  readonly cwd: string;
  /** Whether a person watches: then progress is drawn in place. */
  readonly interactive: boolean;
  /** Results, one line at a time. */
  readonly print: (line: string) => void;
  /** Problems and advice, one line at a time. */
  readonly complain: (line: string) => void;
  /**
   * Aborted by the first SIGINT or SIGTERM after the first call, so that the command can end in good order; a
   * command that never asks is ended by a signal at once.
   */
  readonly stopSignal: () => AbortSignal;
}

/** The process's own streams and signals. */
export function processTerminal(): Terminal {
  let stop: AbortSignal | undefined;
  return {
    env: process.env,
    cwd: process.cwd(),
    interactive: process.stdout.isTTY === true,
    print: (line) => void process.stdout.write(`${line}\n`),
    complain: (line) => void process.stderr.write(`${line}\n`),
    stopSignal: () => (stop ??= listenForSignals()),
  };
}

/** Resolves when the signal is aborted. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** A second signal ends the process at once. */
function listenForSignals(): AbortSignal {
  const stop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    stop.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return stop.signal;
}
