import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  AS_UNUSED,
  type Check,
  compareIds,
  type Finding,
  held,
  leak,
  leakIn,
  notApplicable,
  THEIR_ID,
  type Trial,
} from './check.js';
import type { Answer } from './connection.js';
import { differenceOf, headerOf, visible } from './heard.js';
import { pathBelow } from './link-path.js';
import { TAG_SYSTEM } from './marks.js';
import type { TestedTenant } from './tested-tenant.js';

/** A bulk export of what is planted, as paths below the tenant's base. */
interface OwnExport {
  readonly status: string;
  readonly file: string;
}

const KICK_OFF = `$export?_type=Patient&_typeFilter=${encodeURIComponent(`Patient?_tag=${TAG_SYSTEM}|`)}`;
const ASYNC = { prefer: 'respond-async', accept: 'application/fhir+json' };
const POLL_MS = 300;
const PATIENCE_MS = 60_000;

/** What is tried with the other tenant's export. */
const ATTEMPTS: readonly (readonly [attack: string, method: string, of: keyof OwnExport])[] = [
  ["the status of the other one's export", 'GET', 'status'],
  ["the status of the other one's export by HEAD", 'HEAD', 'status'],
  ["a file of the other one's export", 'GET', 'file'],
  ["a file of the other one's export by HEAD", 'HEAD', 'file'],
  ["the end of the other one's export", 'DELETE', 'status'],
];

/** Bulk exports, their files, and their end. Each export is of what is planted alone. */
export function exportChecks(): readonly Check[] {
  const exports = new WeakMap<TestedTenant, Promise<OwnExport | string>>();
  const exportOf = (tenant: TestedTenant, trial: Trial): Promise<OwnExport | string> => {
    const known = exports.get(tenant) ?? startExport(tenant, trial);
    exports.set(tenant, known);
    return known;
  };
  const foreign = ATTEMPTS.map<Check>(([attack, method, of]) => ({
    attack,
    number: 64,
    asked: `${method} of their ${of === 'file' ? 'NDJSON' : 'Content-Location'}`,
    expected: 'as for an export that never was',
    run: async (trial) => {
      const theirs = await exportOf(trial.owner, trial);
      return typeof theirs === 'string' ? notApplicable(theirs) : compareJobs(trial, method, { theirs, of });
    },
  }));
  const own: Check = {
    attack: 'what an export holds',
    number: 63,
    asked: `GET ${KICK_OFF}`,
    expected: 'nothing of theirs',
    run: async (trial) => {
      const mine = await exportOf(trial.attacker, trial);
      if (typeof mine === 'string') return notApplicable(mine);
      const file = await trial.attacker.get(mine.file);
      return leakIn(file, trial) ?? held(`${file.status} without content of ${trial.owner.name}`);
    },
  };
  return [own, patientCheck(), groupCheck(), ...foreign];
}

async function compareJobs(
  trial: Trial,
  method: string,
  { theirs, of }: { readonly theirs: OwnExport; readonly of: keyof OwnExport },
): Promise<Finding> {
  const { attacker, owner } = trial;
  const path = theirs[of];
  const answer = await attacker.ask({ method, path });
  const told = leakIn(answer, trial);
  if (told) return told;
  if (method === 'DELETE' && (await owner.get(theirs.status)).status !== 200)
    return leak('the export is gone');
  if (answer.status < 400) return leak(`${answer.status}`);
  const never = await attacker.ask({ method, path: path.replaceAll(UUID, randomUUID()) });
  const difference = differenceOf(visible(answer, path), visible(never, path));
  return difference === undefined ? held(`${answer.status}, as for one that never was`) : leak(difference);
}

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** Exports what is planted; answers why not where that is not to be had. */
async function startExport(tenant: TestedTenant, trial: Trial): Promise<OwnExport | string> {
  const started = await tenant.ask({ method: 'GET', path: KICK_OFF, headers: ASYNC });
  const location = headerOf(started, 'content-location');
  if (started.status !== 202 || location === undefined) return `an export is answered with ${started.status}`;
  const status = pathBelow(tenant, location);
  const ended = await untilEnded(tenant, status, trial.signal);
  if (ended?.status !== 200) return `the export came to no end: ${ended?.status ?? 'it takes too long'}`;
  const { output = [] } = JSON.parse(ended.text) as { output?: readonly { readonly url: string }[] };
  const [file] = output;
  return file === undefined ? 'the export is empty' : { status, file: pathBelow(tenant, file.url) };
}

async function untilEnded(
  tenant: TestedTenant,
  status: string,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end && !signal.aborted) {
    const answer = await tenant.get(status);
    if (answer.status !== 202) return answer;
    await pause(POLL_MS);
  }
  return undefined;
}

/** Groups of another tenant. */
function groupCheck(): Check {
  return {
    attack: "the other one's group in an export",
    number: 66,
    asked: `GET Group/${THEIR_ID}/$export`,
    expected: AS_UNUSED,
    run: (trial) =>
      compareIds(trial, (id) => ({
        method: 'GET',
        path: `Group/${id}/$export?_type=Patient`,
        headers: ASYNC,
      })),
  };
}

/** Patients of another tenant, by name. */
function patientCheck(): Check {
  return {
    attack: "the other one's patient in an export",
    number: 66,
    asked: `POST Patient/$export with Patient/${THEIR_ID}`,
    expected: AS_UNUSED,
    run: (trial) =>
      compareIds(trial, (id) => ({
        method: 'POST',
        path: 'Patient/$export',
        headers: ASYNC,
        body: {
          resourceType: 'Parameters',
          parameter: [
            { name: '_type', valueString: 'Patient' },
            { name: 'patient', valueReference: { reference: `Patient/${id}` } },
          ],
        },
      })),
  };
}
