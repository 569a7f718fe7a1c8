import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** The server's metrics, https://prometheus.io/docs/instrumenting/exposition_formats. No label names a tenant. */
export interface Metrics {
  readonly registry: Registry;
  /** A request begins to be served. */
  begin(): void;
  /** A request has been served. */
  end(interaction: string, status: number, seconds: number): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Counter({
    name: 'bulkhead_requests_total',
    help: 'Requests by interaction and HTTP status',
    labelNames: ['interaction', 'status'],
    registers,
  });
  const duration = new Histogram({
    name: 'bulkhead_request_duration_seconds',
    help: 'Time from the first byte read to the last byte written',
    labelNames: ['interaction'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  let inFlight = 0;
  const serving = new Gauge({
    name: 'bulkhead_requests_in_flight',
    help: 'Requests being served',
    registers: [],
    collect() {
      this.set(inFlight);
    },
  });
  registry.registerMetric(serving);
  const counters = new Map<string, Counter.Internal>();
  const histograms = new Map<string, Histogram.Internal<'interaction'>>();
  return {
    registry,
    begin() {
      inFlight++;
    },
    end(interaction, status, seconds) {
      inFlight--;
      const key = `${interaction} ${status}`;
      let counter = counters.get(key);
      if (!counter) counters.set(key, (counter = requests.labels(interaction, String(status))));
      counter.inc();
      let histogram = histograms.get(interaction);
      if (!histogram) histograms.set(interaction, (histogram = duration.labels(interaction)));
      histogram.observe(seconds);
    },
  };
}
