import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreKind } from '../support/test-store.js';
import { CrashServer } from './crash-server.js';
import { type CrashStore, createCrashStore } from './crash-store.js';
import { exportJobs, type StoredExport } from './export-peek.js';
import { urlOf } from './job-campaign.js';

/** The shortest that servers take: what is killed is missed soon. */
export const LEASE_MS = 1_000;

/** A database, a folder for the files of exports, and the servers that share them. */
export class ExportSite {
  readonly folder = mkdtempSync(join(tmpdir(), 'bulkhead-exports-'));
  private readonly servers: CrashServer[] = [];

  private constructor(readonly store: CrashStore) {}

  static async create(kind: StoreKind): Promise<ExportSite> {
    return new ExportSite(await createCrashStore(kind));
  }

  /** A server that does not run yet; `settings` by the names of the environment, without their prefix. */
  async server(settings: Readonly<Record<string, string>> = {}): Promise<CrashServer> {
    const all = { EXPORT_DIR: this.folder, EXPORT_LEASE_MS: String(LEASE_MS), ...settings };
    const named = Object.entries(all).map(([name, value]) => [`BULKHEAD_${name}`, value] as const);
    const server = await CrashServer.create({ ...this.store.environment, ...Object.fromEntries(named) });
    this.servers.push(server);
    return server;
  }

  /** A server of this site that runs. */
  async started(settings: Readonly<Record<string, string>> = {}): Promise<CrashServer> {
    const server = await this.server(settings);
    await server.start();
    return server;
  }

  jobs(): Promise<readonly StoredExport[]> {
    return exportJobs(urlOf(this.store));
  }

  /** @throws Error where there is none of this id */
  async job(id: string): Promise<StoredExport> {
    const job = (await this.jobs()).find((one) => one.id === id);
    if (job === undefined) throw new Error(`There is no job ${id}.`);
    return job;
  }

  /** Paths of everything in the folder that is a file, whole or not. */
  files(): readonly string[] {
    return readdirSync(this.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
  }

  async killAll(): Promise<void> {
    await Promise.all(this.servers.splice(0).map((server) => server.kill()));
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
    this.store.dispose();
  }
}
