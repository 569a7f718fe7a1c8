import type { Home, HomeProvider, PartitionPlace } from './home.js';

/** How many homes are kept open, and what is done with each that is opened. */
export interface OpenHomesOptions {
  readonly max: number;
  /** Milliseconds after which a home that nobody uses is closed. */
  readonly idleMs: number;
  readonly onOpen: (home: Home) => Promise<void>;
  /** Told of a home that could not be closed in good order: nobody waits for those that nobody uses. */
  readonly onCloseFailed: (place: string, error: unknown) => void;
}

/** Names a home: a partition that is being moved has two. */
export type HomeKey = Pick<PartitionPlace, 'id' | 'placement'>;

function toKey({ id, placement }: HomeKey): string {
  return `${placement} ${id}`;
}

/** A home that could not be opened leaves by itself. */
function isInPlace({ home }: Entry): Promise<boolean> {
  return home.then(
    (opened) => opened.isInPlace(),
    () => true,
  );
}

interface Entry {
  readonly key: string;
  readonly place: HomeKey;
  readonly home: Promise<Home>;
  users: number;
  /** Milliseconds since 1970. */
  lastUse: number;
}

/**
 * The homes that are open. They are opened when they are first used; beyond `max` the one that was not used for
 * longest is closed. A home in use is never closed, so that more than `max` are open while more are in use.
 */
export class OpenHomes {
  /** In the order of their last use. */
  private readonly entries = new Map<string, Entry>();
  private readonly closing = new Map<string, Promise<void>>();
  private readonly sweeper: NodeJS.Timeout;

  constructor(
    private readonly provider: HomeProvider,
    private readonly options: OpenHomesOptions,
  ) {
    this.sweeper = setInterval(() => this.closeIdle(), options.idleMs).unref();
  }

  get size(): number {
    return this.entries.size;
  }

  /** @throws FhirError HOME_OUTDATED, UNKNOWN_PARTITION */
  async use<Result>(place: HomeKey, work: (home: Home) => Promise<Result>): Promise<Result> {
    const entry = await this.take(place);
    try {
      return await work(await entry.home);
    } finally {
      this.release(entry);
    }
  }

  /** As `use`, for what comes piece by piece. */
  async *stream<Item>(place: PartitionPlace, work: (home: Home) => AsyncIterable<Item>): AsyncIterable<Item> {
    const entry = await this.take(place);
    try {
      yield* work(await entry.home);
    } finally {
      this.release(entry);
    }
  }

  /** Closes a home that is going away, as soon as nobody uses it; new users open it anew. */
  async evict(place: HomeKey): Promise<void> {
    const key = toKey(place);
    const entry = this.entries.get(key);
    if (entry) this.entries.delete(key);
    if (entry?.users === 0) this.shut(entry);
    await this.closing.get(key);
  }

  /**
   * Closes homes that are not where the directory has them, for example because another server moved them; those in
   * use may be where a move goes to, and are left to the next time.
   */
  async closeStale(isPlaced: (place: HomeKey) => boolean): Promise<void> {
    const entries = [...this.entries.values()];
    for (const entry of entries) {
      const isStale = (entry.users === 0 && !isPlaced(entry.place)) || !(await isInPlace(entry));
      if (isStale && this.entries.get(entry.key) === entry) await this.evict(entry.place);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.sweeper);
    for (const entry of this.entries.values()) this.shut(entry);
    this.entries.clear();
    await Promise.all(this.closing.values());
  }

  private async take(place: HomeKey): Promise<Entry> {
    const key = toKey(place);
    const entry = this.entries.get(key) ?? this.open(place, key);
    entry.users++;
    entry.lastUse = Date.now();
    this.entries.delete(key);
    this.entries.set(key, entry);
    this.shrink();
    try {
      await entry.home;
      return entry;
    } catch (error) {
      if (this.entries.get(key) === entry) this.entries.delete(key);
      throw error;
    }
  }

  private open(place: HomeKey, key: string): Entry {
    const home = (async () => {
      await this.closing.get(key);
      const opened = await this.provider.open(place.id, place.placement);
      await this.options.onOpen(opened);
      return opened;
    })();
    return { key, place, home, users: 0, lastUse: 0 };
  }

  private release(entry: Entry): void {
    entry.users--;
    if (entry.users > 0) return;
    if (this.entries.get(entry.key) === entry) this.shrink();
    else this.shut(entry);
  }

  private shrink(): void {
    if (this.entries.size <= this.options.max) return;
    for (const entry of this.entries.values()) {
      if (entry.users > 0) continue;
      this.entries.delete(entry.key);
      this.shut(entry);
      if (this.entries.size <= this.options.max) return;
    }
  }

  private closeIdle(): void {
    const since = Date.now() - this.options.idleMs;
    for (const entry of this.entries.values()) {
      if (entry.users > 0 || entry.lastUse > since) continue;
      this.entries.delete(entry.key);
      this.shut(entry);
    }
  }

  private shut({ key, home }: Entry): void {
    const before = this.closing.get(key);
    const closed = (async () => {
      await before;
      await home.then(
        (opened) => opened.close(),
        () => undefined,
      );
    })()
      .catch((error: unknown) => this.options.onCloseFailed(key, error))
      .finally(() => {
        if (this.closing.get(key) === closed) this.closing.delete(key);
      });
    this.closing.set(key, closed);
  }
}
