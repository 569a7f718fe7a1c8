import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Placement } from '../src/model/partition.js';
import type { Settings } from '../src/settings/schema.js';
import type { LoopReport, MemoryReport, ServerCommand } from './server-process.js';

/** A program under test in a process of its own. */
export interface Child {
  /** Base of all requests, without a slash at its end. */
  readonly url: string;
  /** Milliseconds from the start of the process until it answers requests. */
  readonly startMs: number;
  /** CPU time used so far in microseconds, of all threads; undefined where the system does not tell. */
  cpu(): number | undefined;
  watchLoop(): void;
  reportLoop(): Promise<LoopReport>;
  /** Resident memory in KB, after a garbage collection. */
  rssKb(): Promise<number>;
  /** Resident memory in KB at this moment; undefined where the system does not tell. */
  residentKb(): number | undefined;
  stop(): Promise<void>;
}

/** Which program, on which data. */
export interface ChildOptions {
  readonly program: 'floor' | 'server';
  readonly databaseUrl: string;
  readonly partitions?: readonly string[];
  /** Where the server puts new partitions; `shared` if left out. */
  readonly placement?: Placement;
  readonly maxOpenHomes?: number;
  /** What else is not as by default. */
  readonly settings?: Partial<Settings>;
  /** Folder for a CPU profile of the process. */
  readonly profile?: string | undefined;
  /** Where the program runs; on the first core if left out. */
  readonly cores?: 'first' | 'all';
}

const PROGRAMS = { floor: './floor/floor-process.js', server: './server-process.js' } as const;
const TICKS_TO_US = 10_000;

/** Starts a program on the first core, unless it may have all; the load comes from the others. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { program, partitions = [], profile } = options;
  const begin = performance.now();
  const child = fork(
    fileURLToPath(new URL(PROGRAMS[program], import.meta.url)),
    program === 'floor' ? [options.databaseUrl] : [settingsOf(options), ...partitions],
    {
      env: { ...process.env, NODE_ENV: 'production' },
      execArgv: [
        '--expose-gc',
        ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]),
      ],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  );
  pinToCores(child.pid, options.cores === 'all' ? `0-${cpus().length - 1}` : '0');
  const { url } = await messageOf<{ readonly kind: 'ready'; readonly url: string }>(child, 'ready');
  const startMs = performance.now() - begin;
  return {
    url,
    startMs,
    cpu: () => cpuMicroseconds(child.pid),
    watchLoop: () => child.send('watch-loop' satisfies ServerCommand),
    reportLoop: () => {
      child.send('report-loop' satisfies ServerCommand);
      return messageOf<LoopReport>(child, 'loop');
    },
    rssKb: async () => {
      child.send('report-memory' satisfies ServerCommand);
      return (await messageOf<MemoryReport>(child, 'memory')).rssKb;
    },
    residentKb: () => residentKilobytes(child.pid),
    stop: () => stopped(child),
  };
}

/** What differs from the defaults; what is left out stays as it is. */
function settingsOf({ databaseUrl, placement, maxOpenHomes, settings }: ChildOptions): string {
  return JSON.stringify({ databaseUrl, placement, maxOpenHomes, ...settings });
}

/** Keeps this process, which makes the load, off the core of the program under test. */
export function pinParent(): void {
  pinToCores(process.pid, `1-${cpus().length - 1}`);
}

function pinToCores(pid: number | undefined, cores: string): void {
  if (process.platform !== 'linux' || cpus().length < 2) return;
  spawnSync('taskset', ['-a', '-cp', cores, String(pid)], { stdio: 'ignore' });
}

/** A new empty folder with what removes it. */
export function temporaryFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'bulkhead-bench-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

function messageOf<Message extends { readonly kind: string }>(
  child: ChildProcess,
  kind: Message['kind'],
): Promise<Message> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown): void => {
      if ((message as Message).kind !== kind) return;
      child.off('message', onMessage);
      child.off('exit', onExit);
      resolve(message as Message);
    };
    const onExit = (code: number | null): void => reject(new Error(`The process ended with code ${code}.`));
    child.on('message', onMessage);
    child.once('exit', onExit);
  });
}

function stopped(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}

function residentKilobytes(pid: number | undefined): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes);
}

/** User and system time stand in the 14th and 15th field of `/proc/PID/stat`, in hundredths of a second. */
function cpuMicroseconds(pid: number | undefined): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const [, afterName = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const fields = afterName.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICKS_TO_US;
}
