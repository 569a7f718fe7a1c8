import { FhirError } from '../src/index.js';
import type { PartitionId, RecordWriter, Resource } from '../src/index.js';
import { withoutLinks } from './audit-event.js';

/** How events may wait. */
export interface AuditBuffering {
  /** Milliseconds that an event waits at most before it is written with the others. */
  readonly milliseconds: number;
  /** Events that may wait; a further one is refused. */
  readonly atMost: number;
}

interface Waiting {
  readonly record: RecordWriter;
  readonly partition: PartitionId;
  readonly event: Resource;
}

/** Events written in one transaction. */
const MOST_IN_ONE = 200;

/** Events that wait for each other, in memory: a kill loses them. */
export class AuditBuffer {
  private waiting: Waiting[] = [];
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> = Promise.resolve();

  constructor(private readonly options: AuditBuffering) {}

  /** @throws Error where no more may wait */
  add(record: RecordWriter, partition: PartitionId, event: Resource): void {
    if (this.waiting.length >= this.options.atMost) throw new Error('Too many audit events wait.');
    this.waiting.push({ record, partition, event });
    if (this.waiting.length >= MOST_IN_ONE) this.wake(0);
    else this.wake(this.options.milliseconds);
  }

  /** Writes all that waits. @throws what the last writer that failed threw; its events wait on */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const again = (): Promise<void> => this.writeAll();
    this.flushing = this.flushing.then(again, again);
    return this.flushing;
  }

  private wake(milliseconds: number): void {
    if (this.timer !== undefined && milliseconds > 0) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.flush().catch(() => this.wake(this.options.milliseconds));
    }, milliseconds).unref();
  }

  /** Of each partition by itself, so that one which fails holds up no other. */
  private async writeAll(): Promise<void> {
    const due = this.waiting;
    this.waiting = [];
    let failure: { readonly error: unknown } | undefined;
    for (const group of groups(due)) {
      try {
        const [{ record, partition }] = group;
        await recordEvents(
          record,
          partition,
          group.map(({ event }) => event),
        );
      } catch (error) {
        failure = { error };
        this.waiting.unshift(...group);
      }
    }
    if (failure) throw failure.error;
  }
}

/**
 * Writes events of one partition together. What they refer to may be gone by now, or out of reach: then they name it
 * without referring to it.
 */
export async function recordEvents(
  record: RecordWriter,
  partition: PartitionId,
  events: readonly Resource[],
): Promise<void> {
  try {
    await record(partition, events);
  } catch (error) {
    if (!(error instanceof FhirError && error.code === 'REFERENCE_NOT_FOUND')) throw error;
    await record(partition, events.map(withoutLinks));
  }
}

/** What goes into one transaction each. */
function* groups(waiting: readonly Waiting[]): Iterable<readonly [Waiting, ...Waiting[]]> {
  const byWriter = Map.groupBy(waiting, ({ record }) => record);
  for (const ofWriter of byWriter.values()) {
    for (const ofPartition of Map.groupBy(ofWriter, ({ partition }) => partition).values()) {
      for (let start = 0; start < ofPartition.length; start += MOST_IN_ONE)
        yield ofPartition.slice(start, start + MOST_IN_ONE) as [Waiting, ...Waiting[]];
    }
  }
}
