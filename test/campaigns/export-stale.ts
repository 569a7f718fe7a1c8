import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { say } from './campaign.js';
import type { CrashServer } from './crash-server.js';
import type { Violations } from './crash-verify.js';
import { askedOf, ended, exportedAt, jobOf, kickOff, removeExport } from './export-client.js';
import type { ExportCampaign } from './export-kills.js';
import { compare, historyOf } from './export-oracle.js';
import { exportRows, savedKeys, type StoredExport } from './export-peek.js';
import { LEASE_MS } from './export-site.js';
import { tenantOf, urlOf } from './job-campaign.js';

const POLL_MS = 5;
const PART_BYTES_OF_A_RESOURCE = 10;
/** Stops of one worker until it is in the middle of something. */
const MOST_STOPS = 200;

/**
 * A worker is stopped where it stands for longer than its lease, another one takes the export over, and the first one
 * goes on, while the other is at work or when it has come to the end: it must change nothing.
 */
export async function wakeStaleWorkers(campaign: ExportCampaign): Promise<Violations> {
  const rounds = campaign.options.isShort ? 2 : 10;
  const violations: Violations = [];
  for (let round = 0; round < rounds; round++) {
    const wake = round % 2 === 0 ? 'at work' : 'at the end';
    const found = await wakeStaleWorker(campaign, wake);
    violations.push(...found.map((violation) => `woken ${wake}: ${violation}`));
  }
  say(`${rounds} workers slept beyond their lease`);
  return violations;
}

async function wakeStaleWorker(
  campaign: ExportCampaign,
  wake: 'at work' | 'at the end',
): Promise<Violations> {
  const { site, options } = campaign;
  const url = urlOf(site.store);
  const settings = { EXPORT_FILE_BYTES: String(options.resources * PART_BYTES_OF_A_RESOURCE) };
  const sleeper = await site.started(settings);
  const location = await kickOff(tenantOf(sleeper), '$export');
  const id = jobOf(location);
  await sleepAtWork(campaign, sleeper, id);
  const { token, progress } = await site.job(id);
  const saved = await savedKeys(url, id);
  const other = await site.started(settings);
  const there = askedOf(other, location);
  const violations: Violations = [];
  if (wake === 'at the end') {
    const { status } = await ended(there);
    if (status !== 200) violations.push(`the export that was taken over ended with ${status}`);
    violations.push(...(await changesOf(campaign, { sleeper, token })));
  } else {
    while (!isTakenOver(await site.job(id), { token, done: progress?.done ?? 0 })) await pause(POLL_MS);
    sleeper.resume();
  }
  for (const one of [there, location])
    violations.push(...compare(await exportedAt(one), await historyOf(tenantOf(other))));
  const stale = (await savedKeys(url, id)).filter((key) => tokenOf(key) === token && !saved.includes(key));
  violations.push(...stale.map((key) => `${key} of the stale worker is listed`));
  violations.push(...(await removeExport(there)));
  violations.push(...site.files().map((path) => `${path} is left behind by a stale worker`));
  await site.killAll();
  return violations;
}

/** Whether another claim has come further. */
function isTakenOver(job: StoredExport, before: { readonly token: number; readonly done: number }): boolean {
  return job.token > before.token && (job.state !== 'running' || (job.progress?.done ?? 0) > before.done);
}

/** What changes in the database and in files that are finished while a worker goes on. */
async function changesOf(
  { site }: ExportCampaign,
  { sleeper, token }: { readonly sleeper: CrashServer; readonly token: number },
): Promise<Violations> {
  const url = urlOf(site.store);
  const [rows, files] = [await exportRows(url), contentsOf(site, token)];
  sleeper.resume();
  // Long enough to end what it had begun, and to look for more to do.
  await pause(2 * LEASE_MS);
  const violations: Violations = [];
  if ((await exportRows(url)) !== rows) violations.push('the stale worker has changed rows');
  if (contentsOf(site, token) !== files) violations.push('the stale worker has changed files');
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

/** Files of other claims, with hashes: what the stale one had begun it may finish under names that nobody looks at. */
function contentsOf(site: ExportCampaign['site'], stale: number): string {
  return site
    .files()
    .filter((path) => path.endsWith('.ndjson') && tokenOf(path) !== stale)
    .toSorted()
    .map((path) => `${path} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`)
    .join('\n');
}

/** Names of files begin with the token of the claim. */
function tokenOf(path: string): number {
  return Number(/(\d+)-[^/]*$/.exec(path)?.[1]);
}
