import pg from 'pg';
import { DIRECTORY_CHANNEL } from './postgres-partitions.js';

/** Longest wait for a connection, and for an answer, in milliseconds: who asks for readiness waits little longer. */
const PATIENCE_MS = 1_000;
const RECONNECT_MS = 1_000;

/**
 * A connection of its own, which no request can hold up: it hears of other servers' changes, and tells whether the
 * database answers. Behind a pooler that shares connections between transactions nothing is heard, and the number of
 * the directory's version has to do (see `refresh` of the storage).
 */
export class DatabaseWatcher {
  private client: pg.Client | undefined;
  private connecting: Promise<pg.Client> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly onChange: () => void,
  ) {}

  start(): void {
    this.connect().catch(() => this.later());
  }

  /** Whether the database answers now; known after two seconds at the latest. */
  async ping(): Promise<boolean> {
    let client: pg.Client | undefined;
    try {
      client = await inTime(this.connect());
      await inTime(client.query('select 1'));
      return true;
    } catch {
      if (client) this.drop(client);
      return false;
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    const { client } = this;
    this.client = undefined;
    await client?.end().catch(() => undefined);
  }

  private async connect(): Promise<pg.Client> {
    if (this.client) return this.client;
    this.connecting ??= this.open().finally(() => {
      this.connecting = undefined;
    });
    return this.connecting;
  }

  private async open(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.url,
      application_name: 'bulkhead watcher',
      connectionTimeoutMillis: PATIENCE_MS,
      keepAlive: true,
    });
    client.on('error', () => this.drop(client));
    client.on('end', () => this.drop(client));
    client.on('notification', () => this.onChange());
    try {
      await client.connect();
      await inTime(client.query(`listen ${DIRECTORY_CHANNEL}`));
    } catch (error) {
      client.end().catch(() => undefined);
      throw error;
    }
    if (this.closed) await client.end();
    else this.client = client;
    // What was said before it listened.
    this.onChange();
    return client;
  }

  private drop(client: pg.Client): void {
    if (this.client !== client) return;
    this.client = undefined;
    client.end().catch(() => undefined);
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
    timer = setTimeout(() => reject(new Error('no answer')), PATIENCE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
