import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CANARY } from './topology.js';

/** A canary in base64, where a text begins with it; `cXp4` is how the first letters are written. */
const PACKED = /cXp4[A-Za-z0-9+/]{16}/g;

/** The canaries in a text, each once, in lower case. */
export function canariesIn(text: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [canary] of text.matchAll(CANARY)) found.add(canary.toLowerCase());
  for (const [packed] of text.matchAll(PACKED)) {
    for (const [canary] of Buffer.from(packed, 'base64').toString('latin1').matchAll(CANARY))
      found.add(canary);
  }
  return found;
}

/** The first canary in a text that may not stand there. */
export function strangerIn(text: string, allowed: (canary: string) => boolean): string | undefined {
  if (!text.includes('qzx') && !text.includes('cXp4') && !/qzx/i.test(text)) return undefined;
  for (const canary of canariesIn(text)) if (!allowed(canary)) return canary;
  return undefined;
}

/** A file and the canaries in it. */
export interface WitnessedFile {
  readonly path: string;
  readonly canaries: ReadonlySet<string>;
}

/** Files of a folder, at any depth, that hold canaries. */
export async function filesWithCanaries(folder: string, suffix: RegExp): Promise<readonly WitnessedFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile() && suffix.test(entry.name));
  const found = await Promise.all(
    files.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      return { path, canaries: canariesIn(await readFile(path, 'latin1')) };
    }),
  );
  return found.filter(({ canaries }) => canaries.size > 0);
}
