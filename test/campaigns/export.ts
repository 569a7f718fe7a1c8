/**
 * `npm run test:export`: what bulk exports promise, on servers that are killed, stopped and robbed of what they write
 * to, while clients write. One export whose server is killed again and again; workers that sleep beyond their lease;
 * two servers and many exports of several tenants; exports that go on where the last one ended, with filters and of
 * every level; outputs and databases that fail. Each is compared with the history of the tenant, and no file may have
 * anything of another one. `--store postgres` (sqlite), `--resources N` (100000) of the tenant that is exported, `--short`
 * (4000, and less of everything), `--kills N` (20, short: 3) in one export, `--seed N`. Ends with 1 where anything is
 * wrong.
 */
import { createTenants, endWithSignals, say } from './campaign.js';
import type { Violations } from './crash-verify.js';
import { chainExports } from './export-chain.js';
import { exportInCrowds } from './export-crowd.js';
import { type ExportCampaign, killInExport } from './export-kills.js';
import { breakOutputs } from './export-outages.js';
import { ExportSite } from './export-site.js';
import { wakeStaleWorkers } from './export-stale.js';
import { parseJobOptions } from './job-campaign.js';
import { seededRandom } from './random.js';

const PARTS = [killInExport, wakeStaleWorkers, exportInCrowds, chainExports, breakOutputs] as const;

async function main(): Promise<void> {
  const options = parseJobOptions({ short: 4_000, kills: 20, shortKills: 3 }, ' in one export');
  endWithSignals();
  const site = await ExportSite.create(options.store);
  const campaign = { site, options, random: seededRandom(options.seed) };
  try {
    await createTenants(await site.started());
    await site.killAll();
    conclude(campaign, await run(campaign));
  } finally {
    await site.killAll();
  }
}

/** Up to the first part in which something is wrong. */
async function run(campaign: ExportCampaign): Promise<Violations> {
  for (const part of PARTS) {
    const violations = await part(campaign);
    if (violations.length > 0) return violations;
  }
  return [];
}

function conclude({ site, options }: ExportCampaign, violations: Violations): void {
  for (const violation of violations) say(`violation: ${violation}`);
  if (violations.length === 0) {
    say('nothing missing, nothing twice, nothing of another time or tenant');
    return site.dispose();
  }
  say(`seed ${options.seed}; kept: ${JSON.stringify(site.store.environment)}, ${site.folder}`);
  process.exitCode = 1;
}

await main();
