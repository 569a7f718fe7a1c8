import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { Settings } from './settings/schema.js';

export type { Logger };

const SECRET_HEADERS = ['authorization', 'proxy-authorization', 'cookie', 'set-cookie'] as const;

/** Lines wait for neighbours until they fill a block or this time is over: one system call for many lines. */
const BLOCK_BYTES = 64 * 1024;
const LARGEST_WRITE = 2 * BLOCK_BYTES;
const FLUSH_MS = 100;

const MASK = '[Redacted]';

/**
 * The server's log: JSON lines on standard output, or lines for people with `logPretty`, written
 * asynchronously. There is no child logger for each request; lines carry `requestId` and `partitions` as
 * fields. Authorization and cookie headers are masked, whether logged as they are or in `headers`.
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
    serializers: { err: (error: Error) => masked(pino.stdSerializers.err(error)) },
  };
  return pino(
    options,
    settings.logPretty ? { write: (line) => destination.write(toPretty(line)) } : destination,
  );
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

/** Collects bytes, not text: text would be joined and measured anew with every line. */
function standardOutput(): DestinationStream & { flush(done: (error?: Error) => void): void } {
  const output = pino.destination({
    dest: 1,
    sync: false,
    minLength: BLOCK_BYTES,
    maxWrite: LARGEST_WRITE,
    periodicFlush: FLUSH_MS,
    contentMode: 'buffer',
  });
  // Its type knows the other content mode only.
  const bytes = output as unknown as { write(line: Buffer): boolean };
  return {
    write: (line) => bytes.write(Buffer.from(line)),
    flush: (done) => output.flush(done),
  };
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
