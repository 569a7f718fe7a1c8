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
  /** Aborted by the first SIGINT or SIGTERM: the command ends in good order. */
  readonly stopped: AbortSignal;
}

/** The process's own streams and signals. A second signal ends the process at once. */
export function processTerminal(): Terminal {
  const stop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    env: process.env,
    cwd: process.cwd(),
    interactive: process.stdout.isTTY === true,
    print: (line) => void process.stdout.write(`${line}\n`),
    complain: (line) => void process.stderr.write(`${line}\n`),
    stopped: stop.signal,
  };
}

/** Resolves when the command is told to stop. */
export function untilStopped({ stopped }: Terminal): Promise<void> {
  if (stopped.aborted) return Promise.resolve();
  return new Promise((resolve) => stopped.addEventListener('abort', () => resolve(), { once: true }));
}
