import test from 'ava';
import { createLogger, requestLog } from '../../src/log.js';
import type { Logger, RequestLine } from '../../src/log.js';

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

const SERVED: RequestLine = {
  requestId: 'r1',
  method: 'GET',
  interaction: 'read',
  partitions: [1, 2],
  path: 'Patient/"\n\u2028ü',
  status: 200,
  ms: 1.5,
};
const UNKNOWN: RequestLine = {
  ...SERVED,
  method: undefined,
  interaction: undefined,
  partitions: undefined,
  path: undefined,
};

for (const line of [SERVED, UNKNOWN]) {
  test(`the line of a request is what the logger would write: ${line.interaction ?? 'not understood'}`, (t) => {
    const { log, lines } = aLog(false);
    log.info(line, 'request');
    requestLog(log)(line);
    const [expected, written] = lines.map((text) => JSON.parse(text) as { readonly time: string });
    t.deepEqual({ ...written, time: '' }, { ...expected, time: '' });
    t.deepEqual(Object.keys(written ?? {}), Object.keys(expected ?? {}));
    t.regex(written?.time ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });
}

test('lines of requests are pretty, or left out, as the settings say', (t) => {
  const pretty = aLog(true);
  requestLog(pretty.log)(SERVED);
  t.regex(pretty.lines[0] ?? '', /^\d{4}-\S+Z INFO {2}request requestId="r1" method="GET"/);
  const { log, lines } = aLog(false);
  log.level = 'warn';
  requestLog(log)(SERVED);
  t.deepEqual(lines, []);
});

test('of an error the log has kind, message, stack, codes and causes, and nothing of the data', (t) => {
  const { log, lines } = aLog(false);
  const refused = Object.assign(new Error('invalid input syntax for type date: "hunter2"'), {
    code: '22007',
    severity: 'ERROR',
    detail: 'Failing row contains (hunter2).',
    where: 'hunter2',
    headers: { authorization: 'hunter2' },
    parameters: ['hunter2'],
  });
  log.error({ err: new Error('outer', { cause: refused }) }, 'failed');
  t.throws(() => JSON.parse('{"family": hunter2}'), { instanceOf: SyntaxError });
  try {
    JSON.parse('{"family": hunter2}');
  } catch (error) {
    log.error({ err: error }, 'failed');
  }
  log.error({ err: 'hunter2' }, 'failed');
  const text = lines.join('');
  t.false(text.includes('hunter2'), text);
  t.true(text.includes('outer: a value that the database refuses (22007)'));
  t.regex(text, /caused by: Error: a value that the database refuses \(22007\)\\n {4}at /);
});
