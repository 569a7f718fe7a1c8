import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { say } from './campaign.js';
import type { CrashServer } from './crash-server.js';
import type { Violations } from './crash-verify.js';
import { askedOf, ended, exportedAt, jobOf, kickOff, removeExport } from './export-client.js';
import type { ExportCampaign } from './export-kills.js';
import { compare, historyOf } from './export-oracle.js';
import { exportRows } from './export-peek.js';
import { LEASE_MS } from './export-site.js';
import { tenantOf, urlOf } from './job-campaign.js';

const POLL_MS = 5;
/** Stops of one worker until it is in the middle of something. */
const MOST_STOPS = 200;

/**
 * A worker is stopped where it stands for longer than its lease, another one takes the export over and ends it, and the
 * first one goes on: it must change nothing.
 */
export async function wakeStaleWorkers(campaign: ExportCampaign): Promise<Violations> {
  const rounds = campaign.options.isShort ? 2 : 10;
  const violations: Violations = [];
  for (let round = 0; round < rounds; round++) violations.push(...(await wakeStaleWorker(campaign)));
  say(`${rounds} workers slept beyond their lease`);
  return violations;
}

async function wakeStaleWorker({ site, random, options }: ExportCampaign): Promise<Violations> {
  const settings = { EXPORT_FILE_BYTES: String(options.resources * 20) };
  const sleeper = await site.started(settings);
  const location = await kickOff(tenantOf(sleeper), '$export');
  const id = jobOf(location);
  await sleepAtWork({ site, random, options }, sleeper, id);
  const { token } = await site.job(id);
  const other = await site.started(settings);
  const there = askedOf(other, location);
  const { status } = await ended(there);
  const [rows, files] = [await exportRows(urlOf(site.store)), listedFiles(site.files(), token)];
  sleeper.resume();
  // Long enough to end what it had begun, and to look for more to do.
  await pause(2 * LEASE_MS);
  const violations: Violations = [];
  if (status !== 200) violations.push(`the export that was taken over ended with ${status}`);
  if ((await exportRows(urlOf(site.store))) !== rows) violations.push('the stale worker has changed rows');
  if (listedFiles(site.files(), token) !== files) violations.push('the stale worker has changed files');
  violations.push(...compare(await exportedAt(there), await historyOf(tenantOf(other))));
  // It is as good as any other.
  violations.push(...compare(await exportedAt(location), await historyOf(tenantOf(sleeper))));
  violations.push(...(await removeExport(there)));
  violations.push(...site.files().map((path) => `${path} is left behind by a stale worker`));
  await site.killAll();
  return violations;
}

/** Stops the server at a moment when it holds the claim. @throws Error where there is no such moment */
async function sleepAtWork({ site, random }: ExportCampaign, server: CrashServer, id: string): Promise<void> {
  for (let stop = 0; stop < MOST_STOPS; stop++) {
    await pause(random.integer(0, POLL_MS));
    server.suspend();
    const { state, progress } = await site.job(id);
    if (state === 'running' && progress !== undefined) return;
    server.resume();
    if (state !== 'running' && state !== 'waiting') break;
  }
  throw new Error('The worker could not be stopped at work.');
}

/** What stands under the names that a worker with a later claim has given, and of those before what was finished. */
function listedFiles(paths: readonly string[], token: number): string {
  const finished = paths.filter((path) => path.endsWith('.ndjson') && tokenOf(path) !== token);
  return finished
    .toSorted()
    .map((path) => `${path} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`)
    .join('\n');
}

function tokenOf(path: string): number {
  return Number(/(\d+)-[^/]*$/.exec(path)?.[1]);
}
