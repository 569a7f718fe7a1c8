import { setTimeout as pause } from 'node:timers/promises';
import { FhirError } from '../model/errors.js';
import type { Partition, Placement } from '../model/partition.js';
import type { Bulkhead } from '../running-server.js';
import { MOVE_JOB, type MoveProgress } from '../storage/placement/partition-mover.js';
import type { StoredJob } from '../storage/store.js';
import { CommandError, InterruptedError } from './command-error.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { withServer } from './open-server.js';
import { type Flags, settingsOf } from './setting-flags.js';
import { formatTable } from './table.js';
import type { Terminal } from './terminal.js';

const POLL_MS = 50;

/** `bulkhead partition create NAME [--id N] [--description D] [--placement P]`: the placement is a setting. */
export function createPartition(terminal: Terminal, name: string, flags: Flags): Promise<ExitCode> {
  return manage(terminal, flags, async ({ partitions }) => {
    const id = flags.id === undefined ? {} : { id: toPartitionId(flags.id) };
    const created = await partitions.create({ name, ...id, ...descriptionOf(flags) });
    terminal.print(`Created partition ${created.name} with id ${created.id}.`);
  });
}

/** `bulkhead partition list`: DEFAULT first. */
export function listPartitions(terminal: Terminal, flags: Flags): Promise<ExitCode> {
  return manage(terminal, flags, async ({ partitions }) => {
    const rows = partitions
      .list()
      .map(({ id, name, description = '', placement = 'shared' }) => [
        String(id),
        name,
        placement,
        description,
      ]);
    formatTable(['ID', 'NAME', 'PLACEMENT', 'DESCRIPTION'], rows).forEach(terminal.print);
  });
}

/** `bulkhead partition update NAME [--name NEW] [--description D]`: what is left out stays as it is. */
export function updatePartition(terminal: Terminal, name: string, flags: Flags): Promise<ExitCode> {
  return manage(terminal, flags, async ({ partitions }) => {
    const current = partitions.read({ name });
    const newName = typeof flags.name === 'string' ? flags.name : current.name;
    const changed = await partitions.update({ ...current, name: newName, ...descriptionOf(flags) });
    terminal.print(`Partition ${changed.id} is now ${describe(changed)}.`);
  });
}

/** `bulkhead partition delete NAME [--purge]`: with `--purge` everything that the partition holds goes first. */
export function deletePartition(terminal: Terminal, name: string, flags: Flags): Promise<ExitCode> {
  return manage(terminal, flags, async (server) => {
    const { id } = server.partitions.read({ name });
    if (flags.purge !== true) await deleteEmpty(server, name, id);
    else terminal.print(`Left in partition ${name}: ${await purge(server, id, terminal.stopSignal())}.`);
    terminal.print(`Deleted partition ${name} with id ${id}.`);
  });
}

/** `bulkhead partition move NAME --to shared|schema|database`: waits for the end; a move under way is followed. */
export function movePartition(terminal: Terminal, name: string, flags: Flags): Promise<ExitCode> {
  return manage(terminal, flags, async (server) => {
    const { id } = server.partitions.read({ name });
    const to = flags.to as Placement;
    const stopped = terminal.stopSignal();
    const job = (await runningMove(server, id)) ?? (await server.partitions.startMove(id, to));
    const { copied, paused, left } = await follow(server, job.id, stopped);
    terminal.print(
      `Moved partition ${name} to ${String(job.parameters['to'])}: ${copied} resources; ` +
        `writers waited ${paused} ms; ${left} rows left behind.`,
    );
  });
}

async function runningMove({ parts }: Bulkhead, id: number): Promise<StoredJob | undefined> {
  const jobs = await parts.partitions.jobs();
  return jobs.find((job) => job.kind === MOVE_JOB && job.partition === id && job.state === 'running');
}

async function follow(
  { parts, partitions }: Bulkhead,
  id: string,
  stopped: AbortSignal,
): Promise<MoveProgress> {
  for (;;) {
    const job = (await parts.partitions.jobs()).find((one) => one.id === id);
    if (job?.state === 'done') return job.result as unknown as MoveProgress;
    if (stopped.aborted) throw new InterruptedError('The next server that starts goes on with the move.');
    partitions.resumeMoves();
    await pause(POLL_MS);
  }
}

/** `bulkhead partition retain --before DATE [--partition NAME]`. */
export function retainPartitions(terminal: Terminal, flags: Flags): Promise<ExitCode> {
  return manage(terminal, flags, async ({ partitions }) => {
    const only = flags.partition;
    const chosen = typeof only === 'string' ? [partitions.read({ name: only })] : partitions.list();
    const rows: string[][] = [];
    for (const { id, name } of chosen) {
      const { resources, versions, indexRows, dangling } = await partitions.retain(id, String(flags.before));
      rows.push([name, ...[resources, versions, indexRows, dangling].map(String)]);
    }
    const head = ['PARTITION', 'RESOURCES', 'VERSIONS', 'INDEX ROWS', 'DANGLING REFERENCES'];
    formatTable(head, rows).forEach(terminal.print);
  });
}

/** `bulkhead partition recount [--partition NAME]`: all of which it is kept what they hold, or the one that is named. */
export function recountPartitions(terminal: Terminal, flags: Flags): Promise<ExitCode> {
  return manage(terminal, flags, async ({ partitions, parts: { usages } }) => {
    const only = flags.partition;
    const chosen = typeof only === 'string' ? [partitions.read({ name: only })] : partitions.list();
    const rows: string[][] = [];
    for (const { id, name } of chosen) {
      if (only === undefined && (await usages.read(id)) === undefined) continue;
      const counted = await usages.count(id);
      if (counted === undefined)
        throw new CommandError(`${name} is being counted by another process already.`);
      const { usage, drift = { resources: 0, bytes: 0 } } = counted;
      const numbers = [usage.resources, usage.bytes, drift.resources, drift.bytes];
      rows.push([name, ...numbers.map(String)]);
    }
    const head = ['PARTITION', 'RESOURCES', 'BYTES', 'RESOURCES CORRECTED BY', 'BYTES CORRECTED BY'];
    formatTable(head, rows).forEach(terminal.print);
  });
}

async function manage(
  terminal: Terminal,
  flags: Flags,
  work: (server: Bulkhead) => Promise<void>,
): Promise<ExitCode> {
  await withServer(await settingsOf(terminal, flags), work);
  return EXIT.ok;
}

async function deleteEmpty({ partitions }: Bulkhead, name: string, id: number): Promise<void> {
  try {
    await partitions.delete(id);
  } catch (cause) {
    if (!(cause instanceof FhirError) || cause.code !== 'PARTITION_NOT_EMPTY') throw cause;
    const [what = cause.message] = cause.message.split('. ');
    throw new CommandError(`${what}. To delete all of it: bulkhead partition delete ${name} --purge`, {
      cause,
    });
  }
}

/** Waits for the purge job to end; answers what is left, as text. */
async function purge({ partitions, parts }: Bulkhead, id: number, stopped: AbortSignal): Promise<string> {
  const started = await partitions.startPurge(id);
  for (;;) {
    const job = (await parts.partitions.jobs()).find((one) => one.id === started.id);
    if (job?.state === 'done')
      return Object.entries(job.result?.left ?? {})
        .map(toCount)
        .join(', ');
    if (stopped.aborted) throw new InterruptedError('The next server that starts goes on with the purge.');
    await pause(POLL_MS);
  }
}

/** `indexRows` and 0 to `0 index rows`. */
function toCount([what, count]: readonly [string, unknown]): string {
  return `${String(count)} ${what.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`;
}

function toPartitionId(text: unknown): number {
  if (/^-?\d{1,10}$/.test(String(text))) return Number(text);
  throw new CommandError(`--id: ${JSON.stringify(text)} is not an integer.`);
}

function descriptionOf({ description }: Flags): { readonly description?: string } {
  return typeof description === 'string' ? { description } : {};
}

function describe({ name, description }: Partition): string {
  return description === undefined ? name : `${name} (${description})`;
}
