import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { runCommand } from '../../src/cli/program.js';
import type { Terminal } from '../../src/cli/terminal.js';
import { toExit } from '../../src/cli/to-exit.js';
import { createBulkhead } from '../../src/server.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** What a command printed, and how it ended. */
export interface CommandResult {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** A folder of its own with a database in it, on which commands are run in this process. */
export interface Workplace {
  readonly folder: string;
  readonly databaseUrl: string;
  run(...words: readonly string[]): Promise<CommandResult>;
  /** The same with other parts of the terminal. */
  runWith(changes: Partial<Terminal>, ...words: readonly string[]): Promise<CommandResult>;
  /** Serves the database, and answers the FHIR base. */
  serve(): Promise<string>;
}

/** Gone when the test ends. */
export async function createWorkplace(
  t: ExecutionContext,
  makeDatabase: () => Promise<TestDatabase> = createTestDatabase,
): Promise<Workplace> {
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-cli-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const database = await makeDatabase();
  t.teardown(() => database.drop());
  const databaseUrl = database.url;
  const runWith: Workplace['runWith'] = async (changes, ...words) => {
    const out: string[] = [];
    const err: string[] = [];
    const terminal: Terminal = {
      env: { BULKHEAD_DATABASE_URL: databaseUrl, BULKHEAD_SQLITE_SYNCHRONOUS: 'normal' },
      cwd: folder,
      interactive: false,
      print: (line) => void out.push(line),
      complain: (line) => void err.push(line),
      stopSignal: () => new AbortController().signal,
      ...changes,
    };
    const exit = await runCommand(words, terminal).catch((error: unknown) => toExit(error, terminal));
    return { exit, out: out.join('\n'), err: err.join('\n') };
  };
  return {
    folder,
    databaseUrl,
    runWith,
    run: (...words) => runWith({}, ...words),
    serve: async () => {
      const server = await createBulkhead({ settings: { databaseUrl, port: 0, logLevel: 'silent' } });
      t.teardown(() => server.stop());
      return (await server.start()).url;
    },
  };
}

/** The body of a GET. */
export async function get(url: string): Promise<Record<string, unknown>> {
  return (await (await fetch(url)).json()) as Record<string, unknown>;
}

/** How many resources a search finds. */
export async function countAt(url: string): Promise<unknown> {
  return (await get(`${url}${url.includes('?') ? '&' : '?'}_summary=count`))['total'];
}
