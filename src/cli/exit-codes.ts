/** What the process ends with; `docs/command-line.md` explains them to people. */
export const EXIT = {
  ok: 0,
  /** The command ran, and something of what it was told to do failed. */
  failed: 1,
  /** The command line or the settings are wrong; nothing was done. */
  usage: 2,
  /** Ended by a signal before it was done. */
  interrupted: 130,
} as const;

/** One of the documented exit codes. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
