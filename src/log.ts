import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { Settings } from './settings/schema.js';

export type { Logger };

const SECRET_HEADERS = ['authorization', 'proxy-authorization', 'cookie', 'set-cookie'] as const;

/**
 * The server's log: JSON lines on standard output, or lines for people with `logPretty`, written
 * asynchronously. There is no child logger for each request; lines carry `requestId` and `partitions` as
 * fields. Authorization and cookie headers are masked, whether logged as they are or in `headers`.
 */
export function createLogger(
  settings: Pick<Settings, 'logLevel' | 'logPretty'>,
  destination: DestinationStream = pino.destination({ dest: 1, sync: false }),
): Logger {
  const options = {
    level: settings.logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level: string) => ({ level }) },
    redact: SECRET_HEADERS.flatMap((name) => [`["${name}"]`, `headers["${name}"]`, `*.headers["${name}"]`]),
  };
  return pino(
    options,
    settings.logPretty ? { write: (line) => destination.write(toPretty(line)) } : destination,
  );
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
