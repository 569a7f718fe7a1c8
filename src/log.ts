import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { describeError } from './log/describe-error.js';
import { LineBlocks } from './log/line-blocks.js';
import type { Settings } from './settings/schema.js';

export type { Logger };

const SECRET_HEADERS = ['authorization', 'proxy-authorization', 'cookie', 'set-cookie'] as const;

/** Longest single write to standard output, in bytes. */
const LARGEST_WRITE = 128 * 1024;

const MASK = '[Redacted]';

/**
 * The server's log: JSON lines on standard output, or lines for people with `logPretty`, written
 * asynchronously. There is no child logger for each request; lines carry `requestId` and `partitions` as
 * fields. Authorization and cookie headers are masked, whether logged as they are or in `headers`; of errors only what
 * tells nothing of the data is written.
 */
export function createLogger(
  settings: Pick<Settings, 'logLevel' | 'logPretty'>,
  destination: DestinationStream = standardOutput(),
): Logger {
  const options = {
    level: settings.logLevel,
    base: null,
    timestamp: isoTime(),
    formatters: { level: (level: string) => ({ level }), log: masked },
    serializers: { err: (error: unknown) => describeError(error) },
  };
  return pino(
    options,
    settings.logPretty ? { write: (line) => destination.write(toPretty(line)) } : destination,
  );
}

/** What the log says of every request; what is undefined is left out. */
export interface RequestLine {
  readonly requestId: string;
  readonly method: string | undefined;
  readonly interaction: string | undefined;
  /** Ids of the partitions that were selected. */
  readonly partitions: readonly number[] | undefined;
  readonly path: string | undefined;
  readonly status: number;
  /** Milliseconds. */
  readonly ms: number;
}

/** Writes the line of one request. */
export type RequestLog = (line: RequestLine) => void;

/**
 * Writes lines of requests at level `info`, as `logger.info(line, 'request')` would. Its members are known, so
 * that it is put together as text: a third of the price of a line whose members are looked at one by one.
 */
export function requestLog(logger: Logger): RequestLog {
  const { [pino.symbols.streamSym]: destination } = logger as unknown as Readonly<
    Record<symbol, DestinationStream>
  >;
  const time = isoTime();
  return (line) => {
    if (logger.isLevelEnabled('info')) destination?.write(toText(line, time()));
  };
}

function toText({ requestId, method, interaction, partitions, path, status, ms }: RequestLine, time: string) {
  const who = `{"level":"info"${time},"requestId":${JSON.stringify(requestId)}`;
  const what =
    method === undefined ? '' : `,"method":${JSON.stringify(method)},"interaction":"${interaction}"`;
  const where = partitions === undefined ? '' : `,"partitions":[${partitions.join(',')}]`;
  const whose = path === undefined ? '' : `,"path":${JSON.stringify(path)}`;
  return `${who}${what}${where}${whose},"status":${status},"ms":${ms},"msg":"request"}\n`;
}

/** The time as a member of the line; lines of the same millisecond share its text. */
function isoTime(): () => string {
  let last = NaN;
  let member = '';
  return () => {
    const now = Date.now();
    if (now !== last) {
      last = now;
      member = `,"time":"${new Date(now).toISOString()}"`;
    }
    return member;
  };
}

/** `2026-01-31T12:00:00.000Z INFO  text key=value`, and an error's stack on lines of its own. */
function toPretty(line: string): string {
  const { time, level, msg, err, ...fields } = JSON.parse(line) as Readonly<Record<string, unknown>>;
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  const words = [time, String(level).toUpperCase().padEnd(5), msg, ...pairs].filter(
    (word) => word !== undefined,
  );
  const { stack } = (err ?? {}) as { readonly stack?: string };
  return `${words.join(' ')}\n${stack === undefined ? '' : `${stack}\n`}`;
}

/** Standard output is one for the process, however many servers write to it. */
const outputs: { standard?: LineBlocks } = {};

function standardOutput(): LineBlocks {
  const known = outputs.standard;
  if (known) return known;
  const output = pino.destination({ dest: 1, sync: false, maxWrite: LARGEST_WRITE, contentMode: 'buffer' });
  const lines = new LineBlocks({
    // Its type knows the other content mode only.
    write: (block) => void (output as unknown as { write(block: Buffer): boolean }).write(block),
    flush: (done) => output.flush(done),
    flushSync: () => output.flushSync(),
  });
  process.once('exit', () => lines.flushSync());
  outputs.standard = lines;
  return lines;
}

/**
 * Secret headers stand in the fields themselves, in `headers` or in `headers` of one of them. Written by hand,
 * because the logger's own redaction clones every line: five times the price.
 */
function masked<Fields extends object>(fields: Fields): Fields {
  let shown = fields;
  for (const [key, value] of Object.entries(fields)) {
    const field = maskedField(key, value);
    if (field !== value) shown = { ...shown, [key]: field };
  }
  return shown;
}

function maskedField(key: string, value: unknown): unknown {
  if (SECRET_HEADERS.some((name) => name === key)) return MASK;
  // An error becomes an object in its serializer, and is masked there.
  if (typeof value !== 'object' || value === null || value instanceof Error) return value;
  if (key === 'headers') return withoutSecrets(value);
  const { headers } = value as { readonly headers?: unknown };
  if (typeof headers !== 'object' || headers === null) return value;
  return { ...value, headers: withoutSecrets(headers) };
}

function withoutSecrets(headers: object): object {
  const secrets = SECRET_HEADERS.filter((name) => name in headers);
  return secrets.length === 0
    ? headers
    : { ...headers, ...Object.fromEntries(secrets.map((name) => [name, MASK])) };
}
