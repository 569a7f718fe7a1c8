/** What the log says of an error. */
export interface DescribedError {
  readonly type: string;
  /** With those of its causes. */
  readonly message: string;
  readonly stack: string;
  readonly [telling: string]: unknown;
}

/** Members of errors that tell what failed, and nothing of what was worked on. */
const TELLING = (
  'code status errno syscall address port signal ' +
  'severity schema table column constraint routine position'
).split(' ');
/** A cause may have a cause, in a ring too. */
const MOST_CAUSES = 5;
/** Longest message that is logged, in characters. */
const MOST_MESSAGE = 2_000;

/**
 * An error as the log may have it: its kind, message, place and codes, and those of its causes. Everything else that
 * errors carry stays out, since it is what clients have sent: rows that a database refuses, statements with their
 * values, parts of documents that could not be read.
 */
export function describeError(error: unknown, causes = MOST_CAUSES): DescribedError {
  if (!(error instanceof Error))
    return { type: typeof error, message: 'what was thrown is no error', stack: '' };
  const message = messageOf(error).slice(0, MOST_MESSAGE);
  const stack = (error.stack ?? '').replace(error.message, () => message);
  const cause =
    error.cause === undefined || causes === 0 ? undefined : describeError(error.cause, causes - 1);
  const members = error as unknown as Readonly<Record<string, unknown>>;
  const told = TELLING.filter((name) => isPlain(members[name])).map((name) => [name, members[name]]);
  return {
    type: error.constructor.name,
    message: cause ? `${message}: ${cause.message}` : message,
    stack: cause ? `${stack}\ncaused by: ${cause.stack}` : stack,
    ...Object.fromEntries(told),
  };
}

function isPlain(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'string';
}

/** Without what some messages repeat of the data. */
function messageOf(error: Error): string {
  const { code } = error as { readonly code?: unknown };
  // PostgreSQL's class of data exceptions: https://www.postgresql.org/docs/current/errcodes-appendix.html
  if (typeof code === 'string' && /^22[0-9A-Z]{3}$/.test(code))
    return `a value that the database refuses (${code})`;
  if (error instanceof SyntaxError) return error.message.split(/, |"/, 1)[0] ?? '';
  // SQLite's full-text search repeats what was searched for.
  return error.message.startsWith('fts5: ') ? 'fts5: the search text is refused' : error.message;
}
