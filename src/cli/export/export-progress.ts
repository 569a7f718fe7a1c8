import { performance } from 'node:perf_hooks';
import { SingleBar } from 'cli-progress';
import type { ExportProgress } from '../../export/export-progress.js';
import type { Terminal } from '../terminal.js';

const LINE_MS = 5_000;
const FORMAT = '  [{bar}] {percentage}% | {value} of {total} resources, {rate}/s | {left}';

/** Tells how far an export is. */
export interface ExportDisplay {
  /** Called often; null until what the export consists of is decided. */
  readonly show: (progress: ExportProgress | null) => void;
  readonly stop: () => void;
}

/** A bar for people, from when it is known how much there is; elsewhere a line every five seconds. */
export function displayExport(terminal: Terminal): ExportDisplay {
  return terminal.interactive ? drawBar() : printLines(terminal);
}

function drawBar(): ExportDisplay {
  const bar = new SingleBar({ format: FORMAT, hideCursor: true, clearOnComplete: true });
  const meter = new Meter();
  return {
    show: (progress) => {
      if (progress === null || progress.total === 0) return;
      const shown = meter.measure(progress);
      if (!bar.isActive) bar.start(progress.total, 0, shown);
      bar.update(Math.min(progress.done, progress.total), shown);
    },
    stop: () => bar.stop(),
  };
}

function printLines({ print }: Terminal): ExportDisplay {
  const meter = new Meter();
  let said = performance.now();
  return {
    show: (progress) => {
      const measured = progress && meter.measure(progress);
      if (performance.now() - said < LINE_MS) return;
      said = performance.now();
      if (progress === null || measured === null) return print('  deciding what is exported');
      const { rate, left } = measured;
      print(`  ${progress.done} of ${progress.total} resources, ${rate}/s | ${left}`);
    },
    stop: () => undefined,
  };
}

interface Measured {
  /** Resources per second. */
  readonly rate: number;
  readonly left: string;
}

/** Measures from when resources began to be read. */
class Meter {
  private begun: number | undefined;

  measure({ done, total }: ExportProgress): Measured {
    this.begun ??= performance.now();
    const seconds = (performance.now() - this.begun) / 1000;
    const rate = done === 0 || seconds === 0 ? 0 : done / seconds;
    const left =
      rate === 0 ? 'time left is not known yet' : `${Math.ceil(Math.max(0, total - done) / rate)} s left`;
    return { rate: Math.round(rate), left };
  }
}
