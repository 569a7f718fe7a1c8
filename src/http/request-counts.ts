/** Upper bounds of the histogram, in seconds. */
export const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** HTTP statuses are below it. */
const STATUSES = 1000;

/** What the requests of one interaction came to. */
export interface InteractionCounts {
  readonly interaction: string;
  /** Requests by HTTP status. */
  readonly statuses: Float64Array;
  /** Requests by the first bucket that holds them; the last place is for those that no bucket holds. */
  readonly durations: Float64Array;
  /** All of their durations together. */
  seconds: number;
}

/** Counts requests in plain numbers: to look up its labels for every request costs more than all counting. */
export class RequestCounts {
  private readonly byInteraction = new Map<string, InteractionCounts>();

  add(interaction: string, status: number, seconds: number): void {
    const counts = this.of(interaction);
    counts.statuses[status]!++;
    let bucket = 0;
    while (seconds > DURATION_BUCKETS[bucket]!) bucket++;
    counts.durations[bucket]!++;
    counts.seconds += seconds;
  }

  list(): readonly InteractionCounts[] {
    return [...this.byInteraction.values()];
  }

  private of(interaction: string): InteractionCounts {
    const known = this.byInteraction.get(interaction);
    if (known) return known;
    const counts = {
      interaction,
      statuses: new Float64Array(STATUSES),
      durations: new Float64Array(DURATION_BUCKETS.length + 1),
      seconds: 0,
    };
    this.byInteraction.set(interaction, counts);
    return counts;
  }
}
