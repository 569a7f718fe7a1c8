import test from 'ava';
import { createMetrics } from '../../src/http/metrics.js';

async function linesOf(name: string, seconds: readonly number[]): Promise<readonly string[]> {
  const metrics = createMetrics();
  for (const one of seconds) {
    metrics.begin();
    metrics.end('read', 200, one);
  }
  metrics.begin();
  const text = await metrics.registry.metrics();
  return text.split('\n').filter((line) => line.startsWith(name));
}

test('requests are counted by interaction and status', async (t) => {
  t.deepEqual(await linesOf('bulkhead_requests_total', [0.1, 0.2]), [
    'bulkhead_requests_total{interaction="read",status="200"} 2',
  ]);
  t.deepEqual(await linesOf('bulkhead_requests_in_flight', [0.1]), ['bulkhead_requests_in_flight 1']);
});

test('a bucket of the histogram counts all that are as fast or faster', async (t) => {
  const lines = await linesOf('bulkhead_request_duration_seconds', [0.001, 0.0011, 0.3, 20]);
  const valueOf = (labels: string) =>
    lines
      .find((line) => line.includes(labels))
      ?.split(' ')
      .at(-1);
  t.is(valueOf('_bucket{le="0.001",interaction="read"}'), '1');
  t.is(valueOf('_bucket{le="0.0025",interaction="read"}'), '2');
  t.is(valueOf('_bucket{le="0.25",interaction="read"}'), '2');
  t.is(valueOf('_bucket{le="10",interaction="read"}'), '3');
  t.is(valueOf('_bucket{le="+Inf",interaction="read"}'), '4');
  t.is(valueOf('_count{interaction="read"}'), '4');
  t.is(valueOf('_sum{interaction="read"}'), '20.3021');
});

test('metrics that are read twice are the same', async (t) => {
  const metrics = createMetrics();
  metrics.begin();
  metrics.end('read', 404, 0.01);
  const own = async () =>
    (await metrics.registry.metrics()).split('\n').filter((line) => line.includes('bulkhead_'));
  t.deepEqual(await own(), await own());
});

test('bulk exports are counted by how they ended', async (t) => {
  const metrics = createMetrics();
  const counts = { running: 1, complete: 2, failed: 0, bytes: 300 };
  metrics.showExports(counts);
  const own = async () =>
    (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('bulkhead_export'));
  t.deepEqual(await own(), [
    'bulkhead_exports_running 1',
    'bulkhead_exports_ended_total{state="complete"} 2',
    'bulkhead_exports_ended_total{state="failed"} 0',
    'bulkhead_export_bytes_total 300',
  ]);
  counts.failed = 3;
  t.true((await own()).includes('bulkhead_exports_ended_total{state="failed"} 3'));
});
