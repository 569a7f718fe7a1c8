import { SingleBar } from 'cli-progress';
import { progressOf } from '../partition/reindex.js';
import { estimateReindex } from '../partition/reindex-estimate.js';
import type { StoredJob } from '../storage/store.js';
import type { Terminal } from './terminal.js';

const LINE_MS = 5_000;
const FORMAT =
  '  [{bar}] {percentage}% | {value} of {total} resources, {added} index rows were missing | {left}';

/** Tells how far a reindex is. */
export interface ReindexDisplay {
  /** Called often, with the job as it stands. */
  readonly show: (job: StoredJob) => void;
  readonly stop: () => void;
}

/** A bar for people, from when the resources are counted; elsewhere a line every five seconds. */
export function displayReindex(terminal: Terminal): ReindexDisplay {
  return terminal.interactive ? drawBar() : printLines(terminal);
}

function drawBar(): ReindexDisplay {
  const bar = new SingleBar({ format: FORMAT, hideCursor: true, clearOnComplete: true });
  return {
    show: (job) => {
      const progress = progressOf(job);
      if (progress === undefined) return;
      const { total, secondsLeft } = estimateReindex(job.state, progress);
      if (total === undefined) return;
      const shown = { added: progress.added, left: leftText(secondsLeft) };
      if (!bar.isActive) bar.start(total, progress.seen, shown);
      bar.setTotal(total);
      bar.update(progress.seen, shown);
    },
    stop: () => bar.stop(),
  };
}

function printLines({ print }: Terminal): ReindexDisplay {
  let said = performance.now();
  return {
    show: (job) => {
      if (performance.now() - said < LINE_MS) return;
      const line = reindexLine(job);
      if (line === undefined) return;
      print(`  ${line}`);
      said = performance.now();
    },
    stop: () => undefined,
  };
}

/** How far a job is, in one line; undefined before it has begun. */
export function reindexLine(job: StoredJob): string | undefined {
  const progress = progressOf(job);
  if (progress === undefined) return undefined;
  const { total, percent, secondsLeft } = estimateReindex(job.state, progress);
  if (total === undefined) return 'counting resources';
  return `${percent} % | ${progress.seen} of ${total} resources, ${progress.added} index rows were missing | ${leftText(secondsLeft)}`;
}

function leftText(seconds: number | undefined): string {
  return seconds === undefined ? 'time left is not known yet' : `${seconds} s left`;
}
