import test from 'ava';
import { createLogger } from '../../src/log.js';
import type { Logger } from '../../src/log.js';

function aLog(logPretty: boolean): { readonly log: Logger; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return { log: createLogger({ logLevel: 'info', logPretty }, destination), lines };
}

test('a line is JSON with level, time, message and fields', (t) => {
  const { log, lines } = aLog(false);
  log.info({ requestId: 'r1', partitions: [1, 2] }, 'served');
  const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  t.deepEqual(Object.keys(line), ['level', 'time', 'requestId', 'partitions', 'msg']);
  t.like(line, { level: 'info', requestId: 'r1', partitions: [1, 2], msg: 'served' });
});

test('levels below the set one are not written', (t) => {
  const { log, lines } = aLog(false);
  log.debug('quiet');
  t.deepEqual(lines, []);
});

test('credentials are masked wherever headers are logged', (t) => {
  const { log, lines } = aLog(false);
  const headers = { authorization: 'Bearer hunter2', cookie: 'hunter2', 'proxy-authorization': 'hunter2' };
  log.info(headers);
  log.info({ headers });
  log.info({ request: { headers } });
  t.is(lines.length, 3);
  t.false(lines.join('').includes('hunter2'));
});

test('pretty lines are for people, and show the stack of an error', (t) => {
  const { log, lines } = aLog(true);
  log.warn({ requestId: 'r1', err: new Error('broken') }, 'failed');
  t.regex(lines[0] ?? '', /^\d{4}-\S+Z WARN {2}failed requestId="r1"\nError: broken\n {4}at /);
});
