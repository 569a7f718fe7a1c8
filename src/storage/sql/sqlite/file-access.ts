import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Bits of a mode that let everybody who is neither owner nor in the group read or write, or search a folder. */
const OTHERS_READ_OR_WRITE = 0o006;
const OTHERS_SEARCH = 0o001;

/**
 * The files of a database, those of its homes included, that every user of the machine can get at. A group may have
 * been let in on purpose, for backups say: that is the operator's affair. Windows has no such modes.
 */
export function openToEverybody(mainFile: string): readonly string[] {
  const folder = dirname(mainFile);
  if (process.platform === 'win32' || !existsSync(mainFile) || isClosed(folder)) return [];
  const stem = basename(mainFile).replace(/\.db$/, '');
  return readdirSync(folder)
    .filter(
      (name) =>
        name.startsWith(stem) && /^(?:\.pn?\d+)?(?:\.db)?(?:-wal|-shm)?$/.test(name.slice(stem.length)),
    )
    .map((name) => join(folder, name))
    .filter((file) => (modeOf(file) & OTHERS_READ_OR_WRITE) !== 0);
}

/** What stands in a folder that others may not search is out of their reach. */
function isClosed(folder: string): boolean {
  if ((modeOf(folder) & OTHERS_SEARCH) === 0) return true;
  const above = dirname(folder);
  return above !== folder && isClosed(above);
}

function modeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
}
