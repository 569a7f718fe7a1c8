import pg from 'pg';
import { DIRECTORY_CHANNEL } from './postgres-partitions.js';

const PING_TIMEOUT_MS = 2_000;
const RECONNECT_MS = 1_000;

/**
 * A connection of its own, which no request can hold up: it hears of other servers' changes, and tells whether the
 * database answers. Behind a pooler that shares connections between transactions nothing is heard, and the number of
 * the directory's version has to do (see `refresh` of the storage).
 */
export class DatabaseWatcher {
  private client: pg.Client | undefined;
  private connecting: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly onChange: () => void,
  ) {}

  start(): void {
    this.connect().catch(() => this.later());
  }

  /** Whether the database answers now. */
  async ping(): Promise<boolean> {
    try {
      await inTime(this.connect());
      await inTime(this.client?.query('select 1') ?? Promise.reject(new Error('not connected')));
      return true;
    } catch {
      this.drop();
      return false;
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.client?.end().catch(() => undefined);
  }

  private connect(): Promise<void> {
    if (this.client) return Promise.resolve();
    this.connecting ??= this.open().finally(() => {
      this.connecting = undefined;
    });
    return this.connecting;
  }

  private async open(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.url,
      application_name: 'bulkhead watcher',
      connectionTimeoutMillis: PING_TIMEOUT_MS,
      keepAlive: true,
    });
    client.on('error', () => this.drop());
    client.on('end', () => this.drop());
    client.on('notification', () => this.onChange());
    await client.connect();
    await client.query(`listen ${DIRECTORY_CHANNEL}`);
    this.client = client;
    // What was said before it listened.
    this.onChange();
  }

  private drop(): void {
    const { client } = this;
    this.client = undefined;
    client?.end().catch(() => undefined);
    this.later();
  }

  private later(): void {
    if (this.closed) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.start(), RECONNECT_MS);
    this.timer.unref();
  }
}

async function inTime<Result>(work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), PING_TIMEOUT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
