import { setTimeout as pause } from 'node:timers/promises';
import { createTenants, say } from './campaign.js';
import type { CrashServer } from './crash-server.js';
import type { Violations } from './crash-verify.js';
import { exportedAt, removeExport } from './export-client.js';
import { ExportContent } from './export-content.js';
import type { ExportCampaign } from './export-kills.js';
import { compare, historyOf } from './export-oracle.js';
import { secondsSince } from './job-campaign.js';
import { request } from './move-client.js';
import { storeAll } from './reindex-content.js';

const TENANTS = ['crowd-a', 'crowd-b', 'crowd-c', 'crowd-d', 'crowd-e'];
const RESOURCES = 300;
/** Exports of one tenant that may be under way. */
const MOST = 3;
/** Exports that one server works on at once. */
const WORKERS = 2;
const POLL_MS = 20;
const HASTY_MS = 50;

/** Two servers and more exports of several tenants than may be under way: each is done once, and caps are kept. */
export async function exportInCrowds({ site, random, options }: ExportCampaign): Promise<Violations> {
  const jobs = options.isShort ? 40 : 100;
  const settings = {
    EXPORT_FILE_BYTES: '16384',
    EXPORT_MAX_PER_PARTITION: String(MOST),
    EXPORT_WORKERS: String(WORKERS),
  };
  const first = await site.started(settings);
  await createTenants(first, TENANTS);
  const servers = [first, await site.started(settings)];
  for (const tenant of TENANTS)
    await storeAll(`${first.url}/${tenant}`, new ExportContent(tenant, RESOURCES, random).first());
  const began = performance.now();
  const watch = new CapWatch(site, servers.length);
  const each = TENANTS.map((tenant) => exportAll(`${first.url}/${tenant}`, servers, jobs / TENANTS.length));
  const results = await Promise.all(each);
  const violations = [...(await watch.stop()), ...results.flatMap((result) => result.violations)];
  const refusals = results.reduce((sum, result) => sum + result.refusals, 0);
  const bytes = results.reduce((sum, result) => sum + result.bytes, 0);
  const complete = await metric(servers, 'bulkhead_exports_ended_total{state="complete"}');
  const written = await metric(servers, 'bulkhead_export_bytes_total');
  if (complete !== jobs) violations.push(`${jobs} exports ended ${complete} times`);
  // Exports are compared byte by byte with what their servers have saved: nothing was done twice.
  if (written !== bytes) violations.push(`${written} bytes were written for ${bytes}`);
  violations.push(...site.files().map((path) => `${path} is left behind`));
  say(
    `${jobs} exports of ${TENANTS.length} tenants on two servers, ${refusals} refusals at the cap, ` +
      `${watch.most} at once, ${secondsSince(began)} s`,
  );
  if (refusals === 0) violations.push('the cap of a tenant was never reached');
  await site.killAll();
  return violations;
}

interface CrowdResult {
  readonly violations: Violations;
  readonly refusals: number;
  readonly bytes: number;
}

/** Asks for exports as fast as they are taken, in turns of the servers, and reads each. */
async function exportAll(base: string, servers: readonly CrashServer[], count: number): Promise<CrowdResult> {
  const history = await historyOf(base);
  const violations: Violations = [];
  const reading: Promise<number>[] = [];
  let refusals = 0;
  while (reading.length < count) {
    const { origin } = servers[reading.length % servers.length]!;
    const headers = { prefer: 'respond-async' };
    const answer = await request(`${origin}${new URL(base).pathname}`, 'GET', '$export', { headers });
    const location = answer.headers.get('content-location');
    if (answer.status === 202 && location) reading.push(readOne(location));
    else if (answer.status === 429) refusals++;
    else violations.push(`a kick-off answered ${answer.status}: ${answer.bytes}`);
    if (answer.status !== 202) await pause(HASTY_MS);
  }
  const sizes = await Promise.all(reading);
  return { violations, refusals, bytes: sizes.reduce((sum, bytes) => sum + bytes, 0) };

  async function readOne(location: string): Promise<number> {
    const exported = await exportedAt(location);
    violations.push(...compare(exported, history), ...(await removeExport(location)));
    return exported.bytes;
  }
}

/** Looks again and again whether caps are kept. */
class CapWatch {
  /** Exports that were worked on at once. */
  most = 0;
  private isOver = false;
  private readonly violations = new Set<string>();
  private readonly watching: Promise<void>;

  constructor(
    private readonly site: ExportCampaign['site'],
    private readonly servers: number,
  ) {
    this.watching = this.watch();
  }

  async stop(): Promise<Violations> {
    this.isOver = true;
    await this.watching;
    return [...this.violations];
  }

  private async watch(): Promise<void> {
    while (!this.isOver) {
      const open = (await this.site.jobs()).filter(({ state }) => state === 'waiting' || state === 'running');
      for (const [partition, jobs] of Map.groupBy(open, (job) => job.partition))
        if (jobs.length > MOST) this.violations.add(`partition ${partition} has more than ${MOST} exports`);
      const running = open.filter(({ state }) => state === 'running').length;
      this.most = Math.max(this.most, running);
      if (running > WORKERS * this.servers) this.violations.add(`${running} exports are worked on at once`);
      await pause(POLL_MS);
    }
  }
}

async function metric(servers: readonly CrashServer[], name: string): Promise<number> {
  let sum = 0;
  for (const { origin } of servers) {
    const { bytes } = await request(origin, 'GET', 'metrics', { status: 200 });
    const line = bytes
      .toString()
      .split('\n')
      .find((one) => one.startsWith(`${name} `));
    sum += Number(line?.slice(name.length + 1) ?? 0);
  }
  return sum;
}
