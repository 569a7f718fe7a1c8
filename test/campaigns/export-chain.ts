import { setTimeout as pause } from 'node:timers/promises';
import { createTenants, say } from './campaign.js';
import type { CrashServer } from './crash-server.js';
import type { Violations } from './crash-verify.js';
import { type Exported, exportedAt, kickOff, removeExport } from './export-client.js';
import { ExportContent } from './export-content.js';
import type { ExportCampaign } from './export-kills.js';
import { ExportLoad } from './export-load.js';
import { compare, compareContents, historyOf, type Question, QUESTIONS, stateAt } from './export-oracle.js';
import { secondsSince } from './job-campaign.js';
import { storeAll } from './reindex-content.js';

const TENANT = 'chain';
const RESOURCES = 400;
const LONGEST_LOAD_MS = 400;
const EVERYTHING: Question = { path: '$export', isAsked: () => true };

/**
 * Exports that go on where the last one ended, under random writes and kills: what came out and what was deleted, put
 * into one copy, must be what the tenant had at each of their times. Beside each of them others are asked for, of every
 * level and with filters, which must have what belongs to them at their own times.
 */
export async function chainExports({ site, random, options }: ExportCampaign): Promise<Violations> {
  const steps = options.isShort ? 4 : 25;
  const began = performance.now();
  const server = await site.started({ EXPORT_FILE_BYTES: '32768', EXPORT_MAX_PER_PARTITION: '20' });
  const base = `${server.url}/${TENANT}`;
  await createTenants(server, [TENANT]);
  const content = new ExportContent(TENANT, RESOURCES, random);
  await storeAll(base, content.first());
  const load = new ExportLoad(() => base, content, random);
  const copy = new Map<string, string>();
  const violations: Violations = [];
  let last: Exported | undefined;
  let kills = 0;
  for (let step = 0; step < steps && violations.length === 0; step++) {
    load.start();
    await pause(random.integer(0, LONGEST_LOAD_MS));
    const asked = await askAll(base, last);
    if (step % 2 === 1) kills += await killSoon(server, random.integer(0, LONGEST_LOAD_MS));
    const exported = await Promise.all(asked.map(({ location }) => exportedAt(location)));
    await load.stop();
    const history = await historyOf(base);
    exported.forEach((one, at) => violations.push(...compare(one, history, asked[at])));
    last = exported[0]!;
    replay(copy, last);
    violations.push(...compareContents(copy, contentsAt(history, last.at)).map(atStep(step)));
    for (const { location } of asked) violations.push(...(await removeExport(location)));
  }
  violations.push(...load.violations.slice(0, 5));
  violations.push(...site.files().map((path) => `${path} is left behind`));
  say(
    `${steps} exports in a chain with ${QUESTIONS.length} others each, ${load.writes} writes, ${kills} kills, ` +
      `${secondsSince(began)} s`,
  );
  await site.killAll();
  return violations;
}

interface Asked {
  readonly question: Question;
  readonly since: number;
  readonly location: string;
}

/** The next of the chain first; of the others each second one asks for what has changed. */
async function askAll(base: string, last: Exported | undefined): Promise<readonly Asked[]> {
  const asked: Asked[] = [];
  for (const [at, question] of [EVERYTHING, ...QUESTIONS].entries()) {
    const since = last !== undefined && at % 2 === 0 ? last : undefined;
    const separator = question.path.includes('?') ? '&' : '?';
    const time = since && `${separator}_since=${encodeURIComponent(since.transactionTime)}`;
    const location = await kickOff(base, `${question.path}${time ?? ''}`);
    asked.push({ question, since: since?.at ?? 0, location });
  }
  return asked;
}

async function killSoon(server: CrashServer, milliseconds: number): Promise<number> {
  await pause(milliseconds);
  await server.kill();
  await server.start();
  return 1;
}

function replay(copy: Map<string, string>, { output, deleted }: Exported): void {
  for (const key of deleted) copy.delete(key);
  for (const [key, line] of output) copy.set(key, line);
}

function contentsAt(history: Parameters<typeof stateAt>[0], at: number): ReadonlyMap<string, string> {
  const contents = new Map<string, string>();
  for (const [key, { resource }] of stateAt(history, at))
    if (resource !== undefined) contents.set(key, JSON.stringify(resource));
  return contents;
}

function atStep(step: number): (violation: string) => string {
  return (violation) => `the copy after export ${step + 1}: ${violation}`;
}
