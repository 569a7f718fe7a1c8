import { setTimeout as pause } from 'node:timers/promises';
import { say } from './campaign.js';
import type { CrashServer } from './crash-server.js';
import type { Violations } from './crash-verify.js';
import { ended, exportedAt, jobOf, kickOff, removeExport } from './export-client.js';
import { ExportContent } from './export-content.js';
import { ExportLoad } from './export-load.js';
import { compare, historyOf } from './export-oracle.js';
import type { ExportSite } from './export-site.js';
import { type JobOptions, neighbourOf, secondsSince, tenantOf } from './job-campaign.js';
import type { Random } from './random.js';
import { storeAll } from './reindex-content.js';

const POLL_MS = 10;
/** A kill is so much later than the progress that it waits for: in the middle of a file, or between two. */
const LATEST_MS = 60;
const NEIGHBOUR_RESOURCES = 1_000;
/** Bytes of a resource in parts of the output, so small that there are many. */
const PART_BYTES_OF_A_RESOURCE = 4;

/** What parts of the campaign are given. */
export interface ExportCampaign {
  readonly site: ExportSite;
  readonly random: Random;
  readonly options: JobOptions;
}

/**
 * One export of everything, whose server is killed again and again while clients write: directly after the kick-off,
 * and then all along.
 */
export async function killInExport({ site, random, options }: ExportCampaign): Promise<Violations> {
  const server = await site.started({
    EXPORT_FILE_BYTES: String(options.resources * PART_BYTES_OF_A_RESOURCE),
  });
  const began = performance.now();
  const [acme, beta] = [
    new ExportContent('acme', options.resources, random),
    new ExportContent('beta', NEIGHBOUR_RESOURCES, random),
  ];
  await storeAll(tenantOf(server), acme.first());
  await storeAll(neighbourOf(server), beta.first());
  say(`filled in ${secondsSince(began)} s`);
  const loads = [
    new ExportLoad(() => tenantOf(server), acme, random),
    new ExportLoad(() => neighbourOf(server), beta, random),
  ];
  for (const load of loads) load.start();
  const acknowledged = Date.now();
  const location = await kickOff(tenantOf(server), '$export');
  const neighbours = await kickOff(neighbourOf(server), '$export');
  const kills = await killOnTheWay({ site, random, options }, server, jobOf(location));
  const last = await ended(location);
  await ended(neighbours);
  await Promise.all(loads.map((load) => load.stop()));
  const violations: Violations = loads.flatMap((load) => load.violations.slice(0, 5));
  if (last.status !== 200) return [...violations, `the export ended with ${last.status}: ${last.bytes}`];
  for (const [base, place] of [
    [tenantOf(server), location],
    [neighbourOf(server), neighbours],
  ] as const) {
    const exported = await exportedAt(place);
    violations.push(...compare(exported, await historyOf(base)));
    if (exported.at < acknowledged)
      violations.push('what was acknowledged before the kick-off may be missing');
    say(`${exported.output.size} resources of ${exported.files} files compared with the history`);
  }
  const writes = loads.reduce((sum, load) => sum + load.writes, 0);
  say(`${kills} kills in one export, ${writes} writes meanwhile, ${secondsSince(began)} s`);
  if (kills < options.kills / 2) violations.push(`the export was over after ${kills} kills`);
  for (const place of [location, neighbours]) violations.push(...(await removeExport(place)));
  violations.push(...site.files().map((path) => `${path} is left behind`));
  await site.killAll();
  return violations;
}

/** Answers how often it killed. */
async function killOnTheWay(
  { site, random, options: { kills } }: ExportCampaign,
  server: CrashServer,
  id: string,
): Promise<number> {
  const doneOf = async (): Promise<number> => {
    const { state, progress } = await site.job(id);
    if (state !== 'waiting' && state !== 'running') return Infinity;
    return progress === undefined ? 0 : progress.done / Math.max(1, progress.total);
  };
  for (let killed = 0; killed < kills; killed++) {
    const part = killed === 0 ? 0 : (killed + random.integer(10, 90) / 100) / (kills + 1);
    let done = await doneOf();
    while (done < part) {
      await pause(POLL_MS);
      done = await doneOf();
    }
    if (done === Infinity) return killed;
    await pause(random.integer(0, LATEST_MS));
    await server.kill();
    await site.store.settle();
    await server.start();
  }
  return kills;
}
