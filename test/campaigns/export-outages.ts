import { setTimeout as pause } from 'node:timers/promises';
import type { OperationOutcome } from 'fhir/r4.js';
import { say } from './campaign.js';
import type { Violations } from './crash-verify.js';
import { ended, exportedAt, jobOf, kickOff, removeExport } from './export-client.js';
import { type Fault, faultsOf } from './export-faults.js';
import type { ExportCampaign } from './export-kills.js';
import { compare, historyOf } from './export-oracle.js';
import { secondsSince, tenantOf } from './job-campaign.js';

const POLL_MS = 10;
/** Claims in vain until the fault ends: it was met, and tried again. */
const IN_VAIN = 2;
const PART_BYTES_OF_A_RESOURCE = 2;

/** What exports are written to or read from fails in the middle of them: for a while, and for good. */
export async function breakOutputs(campaign: ExportCampaign): Promise<Violations> {
  const violations: Violations = [];
  const faults = await faultsOf(campaign);
  try {
    for (const fault of faults) {
      const began = performance.now();
      const found = await surviveFault(campaign, fault);
      if (fault === faults[0] || !campaign.options.isShort)
        found.push(...(await failForGood(campaign, fault)));
      violations.push(...found.map((violation) => `${fault.name}: ${violation}`));
      say(`${fault.name}, ${secondsSince(began)} s`);
    }
  } finally {
    await campaign.site.killAll();
    for (const fault of faults) fault.dispose();
  }
  return violations;
}

async function surviveFault({ site, options }: ExportCampaign, fault: Fault): Promise<Violations> {
  const server = await site.started({
    EXPORT_FILE_BYTES: String(options.resources * PART_BYTES_OF_A_RESOURCE),
    ...fault.settings,
  });
  const location = await kickOff(tenantOf(server), '$export');
  const violations = await untilMet(site, jobOf(location), fault);
  await fault.end();
  violations.push(...compare(await exportedAt(location), await historyOf(tenantOf(server))));
  violations.push(...(await removeExport(location)));
  for (const path of [...(await fault.remains()), ...site.files()]) violations.push(`${path} is left behind`);
  await site.killAll();
  return violations;
}

/** Begins once a part of the output is finished. */
async function untilMet(site: ExportCampaign['site'], id: string, fault: Fault): Promise<Violations> {
  while (((await site.job(id)).progress?.done ?? 0) === 0) await pause(POLL_MS);
  await fault.begin();
  if (fault.isOfDatabase) return [];
  for (;;) {
    const { state, attempts } = await site.job(id);
    if (attempts > IN_VAIN) return [];
    if (state !== 'waiting' && state !== 'running') return [`the export was ${state} all the same`];
    await pause(POLL_MS);
  }
}

/** After as many attempts as there may be the status says that it failed. */
async function failForGood({ site, options }: ExportCampaign, fault: Fault): Promise<Violations> {
  if (!fault.lasts) return [];
  const server = await site.started({
    EXPORT_FILE_BYTES: String(options.resources * PART_BYTES_OF_A_RESOURCE),
    EXPORT_ATTEMPTS: String(IN_VAIN),
    ...fault.settings,
  });
  const location = await kickOff(tenantOf(server), '$export');
  while (((await site.job(jobOf(location))).progress?.done ?? 0) === 0) await pause(POLL_MS);
  await fault.begin();
  const { status, bytes } = await ended(location);
  const { resourceType } = JSON.parse(bytes.toString()) as OperationOutcome;
  await fault.end();
  const violations: Violations =
    status === 500 && resourceType === 'OperationOutcome' ? [] : [`it ended with ${status}: ${bytes}`];
  violations.push(...(await removeExport(location)));
  for (const path of [...(await fault.remains()), ...site.files()]) violations.push(`${path} is left behind`);
  await site.killAll();
  return violations;
}
