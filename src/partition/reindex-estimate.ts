import type { StoredJob } from '../storage/store.js';
import type { ReindexProgress } from './reindex-walk.js';

/** What the speed was before this time hardly counts. */
const MEMORY_MS = 30_000;

/** How far a job is, and how long it will take. */
export interface ReindexEstimate {
  /** Resources that there are to look at; undefined until they are counted. */
  readonly total: number | undefined;
  /** Whole percent of them that were looked at; 100 where all of the job is done, and only then. */
  readonly percent: number | undefined;
  /** At the speed that it has; undefined where that is not known yet, and for a job that has ended. */
  readonly secondsLeft: number | undefined;
}

/**
 * Resources are counted when a job begins. Those that come meanwhile may make it longer, and those that go shorter: what
 * is looked at beyond the count counts as part of it, and a job that goes on is never at 100 percent.
 */
export function estimateReindex(
  state: StoredJob['state'],
  { seen, total, perSecond }: Pick<ReindexProgress, 'seen' | 'total' | 'perSecond'>,
): ReindexEstimate {
  if (state === 'done' || state === 'failed') return { total: seen, percent: 100, secondsLeft: undefined };
  if (total === null) return { total: undefined, percent: undefined, secondsLeft: undefined };
  const all = Math.max(total, seen);
  const percent = all === 0 ? 0 : Math.min(99, Math.floor((100 * seen) / all));
  const isMeasured = state === 'running' && perSecond > 0;
  return { total: all, percent, secondsLeft: isMeasured ? Math.ceil((all - seen) / perSecond) : undefined };
}

/** Resources per second after `seen` more of them in `ms` milliseconds; `before` is 0 where nothing was measured yet. */
export function speedAfter(
  before: number,
  { seen, ms }: { readonly seen: number; readonly ms: number },
): number {
  const current = (1000 * seen) / ms;
  return before === 0 ? current : current + (before - current) * Math.exp(-ms / MEMORY_MS);
}
