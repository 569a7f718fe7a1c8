import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Authenticator } from './auth/authenticator.js';
import type { AuthorizationServer } from './auth/server/authorization-server.js';
import type { HookRegistry } from './hooks/registry.js';
import { createApp, createHttpServer, type AppOptions } from './http/app.js';
import type { Metrics } from './http/metrics.js';
import { recentAnswer } from './http/recent-answer.js';
import type { ServerParts } from './interactions/server-parts.js';
import type { Logger } from './log.js';
import type { PartitionManagement } from './partition/management.js';
import { serverBaseOf } from './settings.js';
import { assertMayListen } from './settings/listening.js';
import type { Settings } from './settings/schema.js';
import type { Storage } from './storage/storage.js';

/** A server that is open, and listens once it is started. */
export interface Bulkhead {
  readonly settings: Settings;
  readonly hooks: HookRegistry;
  readonly partitions: PartitionManagement;
  /** Everything that interactions work with: for embedding, command line and tests. */
  readonly parts: ServerParts;
  /** Listens; `url` is the FHIR base. */
  start(): Promise<{ readonly url: string }>;
  /** Ready goes false, requests in flight finish, and what was accepted is on disk. */
  stop(): Promise<void>;
}

/** Work that goes on beside requests. */
export interface BackgroundJob {
  /** The kind of the jobs that it works off. */
  readonly kind: string;
  /** Looks for something to do. */
  wake(): void;
  /** Ends what is under way where it can be gone on with. */
  stop(): Promise<void>;
}

/** What a running server is made of. */
export interface RunningParts {
  readonly parts: ServerParts;
  readonly storage: Storage;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly authorization: AuthorizationServer;
  readonly jobs: readonly BackgroundJob[];
  /** Undefined: nobody is asked who he is. */
  readonly authenticator: Authenticator | undefined;
}

const EVERYBODY = 'authentication is off: whoever reaches this server may read and change everything';
const REFRESH_MS = 500;
/** Probes that come within this time share one question to the database. */
const PING_LIFETIME_MS = 500;
/** Moves and purges whose worker was killed are looked for this often. */
const JOBS_MS = 2_000;
/** Longer than any upload takes; another server on the same database may still be staging younger ones. */
const STAGED_BLOB_LIFETIME_MS = 24 * 60 * 60 * 1000;

/** One server: what listens, what ticks, and the order in which they end. */
export class RunningServer implements Bulkhead {
  readonly settings: Settings;
  readonly hooks: HookRegistry;
  readonly partitions: PartitionManagement;
  readonly parts: ServerParts;
  private http: Server | undefined;
  private tickers: readonly NodeJS.Timeout[] = [];
  private waking: Promise<void> = Promise.resolve();
  /** What is being read anew at the moment. */
  private refreshing: Promise<void> | undefined;
  private ready = false;
  /** Whether the directory has changed, and could not be read since. */
  private isDirectoryStale = false;
  private base = '';
  private readonly databaseAnswers: () => Promise<boolean>;

  constructor(private readonly running: RunningParts) {
    const { parts, storage } = running;
    this.parts = parts;
    this.settings = parts.settings;
    this.hooks = parts.hooks;
    this.partitions = parts.management;
    running.metrics.showExports(parts.exports.runner.counts);
    this.databaseAnswers = recentAnswer(() => storage.ping(), PING_LIFETIME_MS);
  }

  async start(): Promise<{ readonly url: string }> {
    assertMayListen(this.settings);
    if (this.settings.auth === 'off') this.running.logger.warn(EVERYBODY);
    const options = this.appOptions();
    const http = createHttpServer(createApp(options), options);
    this.http = http;
    const { host, port } = this.settings;
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject);
      http.listen(port, host, resolve);
    });
    // Without file handles for another connection, for example; those that are open go on.
    http.on('error', (err) => this.running.logger.error({ err }, 'a connection was not accepted'));
    this.base = serverBaseOf(this.settings, (http.address() as AddressInfo).port);
    this.believeItself();
    this.tickers = [
      setInterval(() => this.keepFresh(), REFRESH_MS).unref(),
      setInterval(() => this.wakeJobs(), JOBS_MS).unref(),
    ];
    await this.parts.exports.output.check();
    this.wakeJobs();
    await this.parts.blobs.sweep(this.parts.clock() - STAGED_BLOB_LIFETIME_MS);
    this.ready = true;
    return { url: this.base };
  }

  /** Its own tokens name the server's base, which is not known before it listens. */
  private believeItself(): void {
    const { authenticator, authorization } = this.running;
    if (authorization.isOn) authenticator?.issuers.add(authorization.issuer(this.base));
  }

  async stop(): Promise<void> {
    this.ready = false;
    for (const ticker of this.tickers) clearInterval(ticker);
    await this.closeHttp();
    await this.waking;
    await this.refreshing;
    await this.hooks.observe('SERVER_STOPPING', {});
    await this.parts.exports.stop();
    for (const job of this.running.jobs) await job.stop();
    await this.parts.exports.output.close();
    await this.running.storage.close();
    this.running.logger.flush();
  }

  private appOptions(): AppOptions {
    const { basePath, partitioning } = this.settings;
    const urlTenants = !partitioning.includes('off');
    return {
      server: this.parts,
      logger: this.running.logger,
      metrics: this.running.metrics,
      authorization: this.running.authorization,
      request: { basePath, urlTenants, serverBase: () => this.base },
      authenticator: this.running.authenticator,
      ready: () => this.ready && this.databaseAnswers(),
    };
  }

  /** Requests in flight get their time; connections that are idle or late do not hold up the stop. */
  private async closeHttp(): Promise<void> {
    const { http } = this;
    if (!http) return;
    const late = setTimeout(() => http.closeAllConnections(), this.settings.shutdownGraceMs);
    const closed = new Promise<void>((resolve) => http.close(() => resolve()));
    http.closeIdleConnections();
    const idle = setInterval(() => http.closeIdleConnections(), 50);
    await closed;
    clearInterval(idle);
    clearTimeout(late);
  }

  /** Looks once for all kinds: most of the time there is nothing to do for any. */
  private wakeJobs(): void {
    this.parts.exports.wake();
    this.waking = this.wakeUnfinished();
  }

  private async wakeUnfinished(): Promise<void> {
    const { storage, jobs, logger } = this.running;
    try {
      const found = await storage.partitions.jobs();
      const kinds = new Set(found.filter(({ state }) => state === 'running').map(({ kind }) => kind));
      for (const job of jobs) if (kinds.has(job.kind)) job.wake();
    } catch (error) {
      logger.error({ err: error }, 'jobs could not be read');
    }
  }

  /** Other processes' partitions, index paths and search parameters are seen within a second. */
  private keepFresh(): void {
    this.refreshing ??= this.refresh().finally(() => {
      this.refreshing = undefined;
    });
  }

  private async refresh(): Promise<void> {
    try {
      await this.parts.parameters.refresh();
      this.isDirectoryStale = (await this.running.storage.refresh()) || this.isDirectoryStale;
      const directory = this.isDirectoryStale ? await this.parts.directory.read() : undefined;
      // After the directory is read and before it is used: an id may have become another partition's.
      await this.parts.partitionParameters.refresh();
      directory?.use();
      this.isDirectoryStale = false;
    } catch (error) {
      this.running.logger.error({ err: error }, 'partitions and search parameters could not be read');
    }
  }
}
