import type { ExportParts } from '../../export/export-parts.js';
import type { Exports } from '../../export/exports.js';
import type { ExportRunnerParts } from '../../export/export-runner.js';
import type { PartitionId } from '../../model/partition.js';
import type { Bulkhead } from '../../running-server.js';
import type { HomeExports } from '../../storage/export-store.js';
import type { OutputStore } from '../../storage/output-store.js';
import { SingleExport } from './single-export.js';

/** An export of this process alone. */
export interface OpenedExport {
  readonly exports: Exports;
  readonly single: SingleExport;
  /** @throws FhirError UNKNOWN_PARTITION where the partition is not in service any more: it was not read whole. */
  readonly assertInService: (partition: PartitionId) => Promise<void>;
}

/** Whoever waits at the terminal is told of a full disk sooner than a client that polls. */
const MOST_ATTEMPTS = 4;
/** Nobody else takes the export: the claim needs no renewing. In milliseconds. */
const LEASE = 2 ** 31 - 1;

/** What the server's exports are worked on with, for one export that goes to `output`. */
export function openExports(
  { parts }: Bulkhead,
  { output, complain }: { readonly output: OutputStore; readonly complain: (line: string) => void },
): OpenedExport {
  const single = new SingleExport(parts.clock);
  let homes: HomeExports | undefined;
  const change = (own: ExportRunnerParts): ExportRunnerParts => {
    homes = own.homes;
    const limits = {
      ...own.limits,
      workers: 1,
      lease: LEASE,
      attempts: Math.min(own.limits.attempts, MOST_ATTEMPTS),
    };
    return { ...own, jobs: single, output, homes: counted(own.homes, single), limits, log: logTo(complain) };
  };
  const exports = parts.exports.with(change);
  const assertInService = async (partition: PartitionId): Promise<void> => {
    await homes?.freeze(partition, () => Promise.resolve());
  };
  return { exports, single, assertInService };
}

/** Tells the export of what is read, as it is read. */
function counted(homes: HomeExports, single: SingleExport): HomeExports {
  return {
    ...homes,
    walk: async (partition, walk, detail) => {
      const page = await homes.walk(partition, walk, detail);
      single.countRead(page.count + page.unreadable.length);
      return page;
    },
    versionsAt: async (partition, list) => {
      const page = await homes.versionsAt(partition, list);
      single.countRead(page.count + page.unreadable.length);
      return page;
    },
  };
}

function logTo(complain: (line: string) => void): ExportParts['log'] {
  return {
    info: () => undefined,
    error: (fields) => complain(`The export was interrupted: ${reasonOf(fields)}.`),
  };
}

/** The innermost reason: what the disk or the database said. */
function reasonOf(fields: object): string {
  let { err } = fields as { readonly err?: unknown };
  while (err instanceof Error && err.cause instanceof Error) err = err.cause;
  return err instanceof Error ? err.message : 'it has failed';
}
