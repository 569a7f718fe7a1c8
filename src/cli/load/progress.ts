import { performance } from 'node:perf_hooks';
import { SingleBar } from 'cli-progress';
import type { Terminal } from '../terminal.js';

/** Tells how far loading is. */
export interface Progress {
  /** Bytes of a file that were read. */
  readonly addBytes: (count: number) => void;
  /** Resources that are done with, whatever became of them. */
  readonly addResources: (count: number) => void;
  readonly stop: () => void;
}

const LINE_MS = 5_000;
const FORMAT = '  [{bar}] {percentage}% | {resources} resources, {rate}/s | {eta_formatted} left';

/** A bar for people; elsewhere a line every five seconds. The estimate is by bytes of all files. */
export function showProgress(terminal: Terminal, totalBytes: number): Progress {
  return terminal.interactive ? drawBar(totalBytes) : printLines(terminal, totalBytes);
}

function drawBar(totalBytes: number): Progress {
  const meter = new Meter(totalBytes);
  const bar = new SingleBar({ format: FORMAT, hideCursor: true, clearOnComplete: true, etaBuffer: 50 });
  bar.start(totalBytes, 0, meter.shown());
  return {
    addBytes: (count) => {
      meter.bytes += count;
      bar.update(Math.min(meter.bytes, totalBytes), meter.shown());
    },
    addResources: (count) => {
      meter.resources += count;
      bar.update(meter.shown());
    },
    stop: () => bar.stop(),
  };
}

function printLines({ print }: Terminal, totalBytes: number): Progress {
  const meter = new Meter(totalBytes);
  const timer = setInterval(() => {
    const { resources, rate } = meter.shown();
    print(`  ${meter.percent()} % | ${resources} resources, ${rate}/s | ${meter.secondsLeft()} s left`);
  }, LINE_MS);
  return {
    addBytes: (count) => void (meter.bytes += count),
    addResources: (count) => void (meter.resources += count),
    stop: () => clearInterval(timer),
  };
}

class Meter {
  bytes = 0;
  resources = 0;
  private readonly start = performance.now();

  constructor(private readonly totalBytes: number) {}

  shown(): { readonly resources: number; readonly rate: number } {
    const seconds = (performance.now() - this.start) / 1000;
    return { resources: this.resources, rate: seconds === 0 ? 0 : Math.round(this.resources / seconds) };
  }

  percent(): number {
    return this.totalBytes === 0 ? 100 : Math.min(100, Math.floor((this.bytes * 100) / this.totalBytes));
  }

  secondsLeft(): number {
    const seconds = (performance.now() - this.start) / 1000;
    return this.bytes === 0
      ? 0
      : Math.max(0, Math.round((seconds * (this.totalBytes - this.bytes)) / this.bytes));
  }
}
