import test from 'ava';
import { reindexLine } from '../../src/cli/reindex-progress.js';
import { DEFAULT_PARTITION_ID } from '../../src/model/partition.js';
import { beginProgress } from '../../src/partition/reindex-walk.js';
import { estimateReindex, speedAfter } from '../../src/partition/reindex-estimate.js';

const begun = beginProgress([]);

test('nothing is said of the end before the resources are counted', (t) => {
  const unknown = { total: undefined, percent: undefined, secondsLeft: undefined };
  t.deepEqual(estimateReindex('running', begun), unknown);
});

test('percent are of the resources that were counted, and the time left goes by the speed', (t) => {
  const progress = { ...begun, total: 1_000, seen: 255 };
  t.deepEqual(estimateReindex('running', progress), { total: 1_000, percent: 25, secondsLeft: undefined });
  const measured = { ...progress, perSecond: 100 };
  t.deepEqual(estimateReindex('running', measured), { total: 1_000, percent: 25, secondsLeft: 8 });
});

test('a job that has not ended is never at 100 percent, even where more came than were counted', (t) => {
  const progress = { ...begun, total: 10, seen: 12, perSecond: 5 };
  t.deepEqual(estimateReindex('running', progress), { total: 12, percent: 99, secondsLeft: 0 });
  t.like(estimateReindex('running', { ...begun, total: 0 }), { percent: 0 });
});

test('a job that was done is at 100 percent of what it looked at, one that was cancelled where it was', (t) => {
  const progress = { ...begun, total: 10, seen: 8, perSecond: 5 };
  const over = { total: 8, percent: 100, secondsLeft: undefined };
  t.deepEqual(estimateReindex('done', progress), over);
  t.deepEqual(estimateReindex('failed', progress), over);
  const cancelled = { total: 10, percent: 80, secondsLeft: undefined };
  t.deepEqual(estimateReindex('cancelled', progress), cancelled);
});

test('the speed is that of late, and begins with what was measured first', (t) => {
  t.is(speedAfter(0, { seen: 50, ms: 500 }), 100);
  const slower = speedAfter(100, { seen: 0, ms: 500 });
  t.true(slower > 95 && slower < 100);
  t.true(speedAfter(100, { seen: 10, ms: 600_000 }) < 1);
});

test('the command says the same in a line', (t) => {
  const job = {
    id: 'j',
    kind: 'reindex',
    partition: DEFAULT_PARTITION_ID,
    state: 'running',
    parameters: {},
  } as const;
  t.is(reindexLine({ ...job, result: null }), undefined);
  t.is(reindexLine({ ...job, result: { ...begun } }), 'counting resources');
  const result = { ...begun, total: 200, seen: 50, perSecond: 10, added: 3 };
  t.is(reindexLine({ ...job, result }), '25 % | 50 of 200 resources, 3 index rows were missing | 15 s left');
});
