import { parseArgs } from 'node:util';
import type { StoreKind } from '../support/test-store.js';
import { say } from './campaign.js';
import type { CrashServer } from './crash-server.js';
import type { CrashStore } from './crash-store.js';
import type { Violations } from './crash-verify.js';

/** What a campaign about one long job is asked for on the command line. */
export interface JobOptions {
  readonly store: StoreKind;
  readonly resources: number;
  readonly kills: number;
  readonly seed: number;
  readonly isShort: boolean;
}

/** What is done where nothing else is said. */
interface JobDefaults {
  /** Resources of a short run. */
  readonly short: number;
  readonly kills: number;
  /** Kills of a short run; as many as of any other if left out. */
  readonly shortKills?: number;
}

/** Resources that the tenant has where nothing else is said. */
const RESOURCES = '100000';

/**
 * Reads `--store postgres` (sqlite), `--resources N` (100000), `--short`, `--kills N` and `--seed N`, and says them.
 * @throws Error for a store that there is not
 */
export function parseJobOptions(defaults: JobDefaults, unit: string): JobOptions {
  const { values } = parseArgs({
    options: {
      store: { type: 'string', default: 'sqlite' },
      resources: { type: 'string', default: RESOURCES },
      kills: { type: 'string' },
      short: { type: 'boolean', default: false },
      seed: { type: 'string' },
    },
  });
  const { store } = values;
  if (store !== 'sqlite' && store !== 'postgres') throw new Error('--store is sqlite or postgres.');
  const usual = values.short ? (defaults.shortKills ?? defaults.kills) : defaults.kills;
  const options: JobOptions = {
    store,
    isShort: values.short,
    resources: values.short ? defaults.short : Number(values.resources),
    kills: Number(values.kills ?? usual),
    seed: Number(values.seed ?? Date.now() % 1_000_000),
  };
  say(`seed ${options.seed}, ${options.resources} resources, ${store}, ${options.kills} kills${unit}`);
  return options;
}

/** Says what is wrong and keeps the stores, and makes the process end with 1; takes them away where nothing is. */
export function concludeJob(
  violations: Violations,
  stores: readonly CrashStore[],
  { seed }: Pick<JobOptions, 'seed'>,
): void {
  for (const violation of violations) say(`violation: ${violation}`);
  if (violations.length === 0) return stores.forEach((store) => store.dispose());
  say(`seed ${seed}; kept: ${stores.map(({ environment }) => JSON.stringify(environment)).join()}`);
  process.exitCode = 1;
}

/** Base URL of the tenant that the job is about. */
export function tenantOf({ url }: CrashServer): string {
  return `${url}/acme`;
}

/** Base URL of the tenant who must not notice. */
export function neighbourOf({ url }: CrashServer): string {
  return `${url}/beta`;
}

/** What the server of a store is told to open. */
export function urlOf({ environment }: CrashStore): string {
  return environment['BULKHEAD_DATABASE_URL'] ?? '';
}

/** Seconds since `began`, as text. */
export function secondsSince(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(1);
}
