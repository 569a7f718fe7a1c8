import { Counter, collectDefaultMetrics, Gauge, type Histogram, Registry } from 'prom-client';
import { DURATION_BUCKETS, type InteractionCounts, RequestCounts } from './request-counts.js';

/** The server's metrics, https://prometheus.io/docs/instrumenting/exposition_formats. No label names a tenant. */
export interface Metrics {
  readonly registry: Registry;
  /** Requests that have been served. */
  readonly served: number;
  /** A request begins to be served. */
  begin(): void;
  /** A request has been served. */
  end(interaction: string, status: number, seconds: number): void;
  /** Shows what becomes of bulk exports. */
  showExports(counts: CountedExports): void;
}

/** What this server has done about bulk exports since it started. */
export interface CountedExports {
  readonly running: number;
  readonly complete: number;
  readonly failed: number;
  /** Of finished files. */
  readonly bytes: number;
}

/** Requests are counted apart from prom-client, which is told of them when it is asked. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counts = new RequestCounts();
  let inFlight = 0;
  let served = 0;
  registry.registerMetric(requestsTotal(counts));
  registry.registerMetric(requestDuration(counts));
  registry.registerMetric(
    new Gauge({
      name: 'bulkhead_requests_in_flight',
      help: 'Requests being served',
      registers: [],
      collect() {
        this.set(inFlight);
      },
    }),
  );
  return {
    registry,
    get served() {
      return served;
    },
    begin() {
      inFlight++;
    },
    end(interaction, status, seconds) {
      inFlight--;
      served++;
      counts.add(interaction, status, seconds);
    },
    showExports(exports) {
      for (const metric of exportMetrics(exports)) registry.registerMetric(metric);
    },
  };
}

function exportMetrics(counts: CountedExports): readonly (Gauge | Counter | Counter<'state'>)[] {
  return [
    new Gauge({
      name: 'bulkhead_exports_running',
      help: 'Bulk exports that this server works on',
      registers: [],
      collect() {
        this.set(counts.running);
      },
    }),
    new Counter({
      name: 'bulkhead_exports_ended_total',
      help: 'Bulk exports that this server has ended, by how',
      labelNames: ['state'],
      registers: [],
      collect() {
        this.reset();
        this.inc({ state: 'complete' }, counts.complete);
        this.inc({ state: 'failed' }, counts.failed);
      },
    }),
    new Counter({
      name: 'bulkhead_export_bytes_total',
      help: 'Bytes of finished files of bulk exports',
      registers: [],
      collect() {
        this.reset();
        this.inc(counts.bytes);
      },
    }),
  ];
}

function requestsTotal(counts: RequestCounts): Counter<'interaction' | 'status'> {
  return new Counter({
    name: 'bulkhead_requests_total',
    help: 'Requests by interaction and HTTP status',
    labelNames: ['interaction', 'status'],
    registers: [],
    collect() {
      this.reset();
      for (const { interaction, statuses } of counts.list()) {
        statuses.forEach((requests, status) => {
          if (requests > 0) this.inc({ interaction, status }, requests);
        });
      }
    },
  });
}

const DURATION = 'bulkhead_request_duration_seconds';

/** One value of a histogram as the registry prints it. */
interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** A histogram can only be observed, not set: what the registry asks of one is answered from the counts. */
function requestDuration(counts: RequestCounts): Histogram {
  const metric = {
    name: DURATION,
    help: 'Time from the first byte read to the last byte written',
    type: 'histogram',
    aggregator: 'sum',
    get: async () => ({ ...metric, values: counts.list().flatMap(toSamples) }),
    reset: () => undefined,
  };
  return metric as unknown as Histogram;
}

/** Each bucket counts all that are as fast or faster. */
function toSamples({ interaction, durations, seconds }: InteractionCounts): Sample[] {
  let requests = 0;
  const buckets = Array.from(durations, (count, index) => ({
    metricName: `${DURATION}_bucket`,
    labels: { le: DURATION_BUCKETS[index] ?? '+Inf', interaction },
    value: (requests += count),
  }));
  const labels = { interaction };
  return [
    ...buckets,
    { metricName: `${DURATION}_sum`, labels, value: seconds },
    { metricName: `${DURATION}_count`, labels, value: requests },
  ];
}
