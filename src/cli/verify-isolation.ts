import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { IsolationError } from '../isolation/isolation-error.js';
import {
  type IsolationOptions,
  type IsolationRow,
  plannedAttacks,
  type TenantPlace,
  verifyIsolation,
} from '../isolation/verify-isolation.js';
import { nearestName } from '../model/nearest-name.js';
import { serverBaseOf } from '../settings.js';
import { CommandError, InterruptedError } from './command-error.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { readTokenFile } from './load/token-file.js';
import { type Flags, settingsOf } from './setting-flags.js';
import { formatTable } from './table.js';
import type { Terminal } from './terminal.js';

/** What a module has to export so that its server can be attacked: as `createTestServer` answers it. */
interface StartedServer {
  readonly url: string;
  readonly stop?: () => Promise<void>;
}

/**
 * `bulkhead verify-isolation --partitions a,b [--url BASE | --module FILE]`: lets two partitions of a running server
 * attack each other, and prints what came of it. Ends with 1 where something leaked, and with 2 where nothing could
 * be tried.
 */
export async function printIsolation(terminal: Terminal, flags: Flags): Promise<ExitCode> {
  try {
    const partitions = toPartitions(flags['partitions']);
    const only = toAttacks(flags['only'] as readonly string[]);
    if (flags['dryRun'] === true) return printPlan(terminal, partitions, only);
    const tokens = await tokensOf(terminal, flags);
    const server = await serverOf(terminal, flags);
    try {
      return await tryAttacks(terminal, {
        url: server.url,
        partitions,
        tenantIn: flags['tenantIn'] as TenantPlace,
        ...(only ? { only } : {}),
        ...(tokens ? { tokens } : {}),
      });
    } finally {
      await server.stop?.();
    }
  } catch (error) {
    if (!(error instanceof IsolationError || error instanceof CommandError)) throw error;
    terminal.complain(`error: ${error.message}`);
    return EXIT.usage;
  }
}

/** @throws CommandError for an attack that is not in the list */
function toAttacks(names: readonly string[]): readonly string[] | undefined {
  const known = plannedAttacks().map(({ attack }) => attack);
  const stranger = names.find((name) => !known.includes(name));
  if (stranger === undefined) return names.length > 0 ? names : undefined;
  const nearest = nearestName(stranger, known);
  const advice = nearest === undefined ? 'See --dry-run.' : `Did you mean ${JSON.stringify(nearest)}?`;
  throw new CommandError(`--only: there is no attack ${JSON.stringify(stranger)}. ${advice}`);
}

function printPlan(
  terminal: Terminal,
  partitions: readonly [string, string],
  only: readonly string[] | undefined,
): ExitCode {
  const planned = plannedAttacks().filter(({ attack }) => only?.includes(attack) ?? true);
  const rows = planned.map(({ attack, number, asked, expected }) => [
    String(number),
    attack,
    asked,
    expected,
  ]);
  formatTable(['NUMBER', 'ATTACK', 'ASKED', 'EXPECTED'], rows).forEach(terminal.print);
  terminal.print(
    `${planned.length} attacks, of ${partitions.join(' on ')} and the other way round. Nothing was sent.`,
  );
  return EXIT.ok;
}

async function tryAttacks(terminal: Terminal, options: IsolationOptions): Promise<ExitCode> {
  const signal = terminal.stopSignal();
  const rows = await verifyIsolation({
    ...options,
    signal,
    onStart: (tag) => terminal.complain(`Everything that is written has the tag ${tag}, and is taken away.`),
  });
  const table = bothWays(rows).map(toCells);
  formatTable(['NUMBER', 'ATTACK', 'ASKED', 'EXPECTED', 'SEEN', 'VERDICT'], table).forEach(terminal.print);
  terminal.print(summaryOf(rows));
  if (signal.aborted) throw new InterruptedError('Stopped before the end. What was written is taken away.');
  return rows.some(({ verdict }) => verdict === 'leak') ? EXIT.failed : EXIT.ok;
}

const WORST_FIRST = ['leak', 'held', 'not-applicable'] as const;
const VERDICTS = { leak: 'LEAK', held: 'held', 'not-applicable': 'not applicable' } as const;

/** One row of each attack: the worse of both directions. */
function bothWays(rows: readonly IsolationRow[]): readonly IsolationRow[] {
  const worst = new Map<string, IsolationRow>();
  for (const row of rows) {
    const key = `${row.attack} ${row.asked}`;
    const known = worst.get(key);
    if (!known || rankOf(row) < rankOf(known)) worst.set(key, row);
  }
  return [...worst.values()];
}

function rankOf({ verdict }: IsolationRow): number {
  return WORST_FIRST.indexOf(verdict);
}

const CELL_CHARACTERS = 72;

function toCells({
  number,
  attack,
  asked,
  expected,
  seen,
  verdict,
  by,
  on,
}: IsolationRow): readonly string[] {
  const told = verdict === 'leak' ? `${by} on ${on}: ${seen}` : seen;
  return [String(number), attack, cut(asked), expected, cut(told), VERDICTS[verdict]];
}

function cut(text: string): string {
  return text.length > CELL_CHARACTERS ? `${text.slice(0, CELL_CHARACTERS - 1)}…` : text;
}

function summaryOf(rows: readonly IsolationRow[]): string {
  const count = (wanted: IsolationRow['verdict']): number =>
    rows.filter(({ verdict }) => verdict === wanted).length;
  return `${count('held')} held, ${count('leak')} leaked, ${count('not-applicable')} not applicable`;
}

/** @throws CommandError unless there are two of them */
function toPartitions(text: unknown): readonly [string, string] {
  const [one, other, ...more] = String(text)
    .split(',')
    .map((name) => name.trim());
  if (one && other && more.length === 0) return [one, other];
  throw new CommandError(
    `--partitions: two names are needed, such as acme,beta; not ${JSON.stringify(text)}.`,
  );
}

/** @throws CommandError for one token alone */
async function tokensOf(terminal: Terminal, flags: Flags): Promise<readonly [string, string] | undefined> {
  const { tokenA, tokenB } = flags;
  const files = flags['tokenFile'] as readonly string[];
  const read = await Promise.all(files.map((file) => readTokenFile(terminal, file)));
  const given = [...[tokenA, tokenB].filter((token) => token !== undefined).map(String), ...read];
  const [one, other, ...more] = given;
  if (one === undefined) return undefined;
  if (other === undefined || more.length > 0) {
    throw new CommandError('Two tokens are needed, in the order of the partitions: one opens one partition.');
  }
  return [one, other];
}

/** The server of a URL, of a module, or of the settings. */
async function serverOf(terminal: Terminal, flags: Flags): Promise<StartedServer> {
  const { url, module } = flags;
  if (url !== undefined && module !== undefined)
    throw new CommandError('--url and --module exclude each other.');
  if (url !== undefined) return { url: String(url) };
  if (module !== undefined) return startModule(terminal, String(module));
  const { settings } = await settingsOf(terminal, flags);
  return { url: serverBaseOf(settings, settings.port) };
}

/** @throws CommandError for a module that exports no function `start` which starts a server */
async function startModule({ cwd }: Terminal, path: string): Promise<StartedServer> {
  const { start } = (await import(pathToFileURL(resolve(cwd, path)).href).catch((cause: unknown) => {
    throw new CommandError(`--module: ${path} cannot be loaded: ${String(cause)}`, { cause });
  })) as { readonly start?: unknown };
  if (typeof start !== 'function') throw new CommandError(`--module: ${path} exports no function start.`);
  const server = (await (start as () => unknown)()) as Partial<StartedServer> | undefined;
  if (typeof server?.url === 'string') return server as StartedServer;
  throw new CommandError(`--module: start of ${path} answers no { url, stop }, as createTestServer does.`);
}
