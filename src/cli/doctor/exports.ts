import { access, constants } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type ExportOutput, exportOutputOf } from '../../settings/export-output.js';
import type { Settings } from '../../settings/schema.js';
import { openOutput } from '../../storage/output/open-output.js';
import type { Check } from './check.js';

const NAME = 'exports';

/** Whether the files of exports can be written where the settings say, without making anything that stays. */
export async function checkExports(settings: Settings): Promise<Check> {
  const output = exportOutputOf(settings);
  if (output.kind === 's3') return checkBucket(output);
  if (output.folder === undefined) return { name: NAME, state: 'ok', found: 'as temporary as the database' };
  return checkFolder(resolve(output.folder));
}

async function checkFolder(folder: string): Promise<Check> {
  try {
    await access(await nearestFolder(folder), constants.W_OK | constants.X_OK);
    return { name: NAME, state: 'ok', found: `go to ${folder}` };
  } catch (error) {
    const found = `cannot be written to ${folder}: ${(error as Error).message}`;
    return { name: NAME, state: 'fail', found, advice: 'Correct its rights, or name another by exportDir.' };
  }
}

/** The folder itself, or the one that it would be made in. */
async function nearestFolder(folder: string): Promise<string> {
  try {
    await access(folder);
    return folder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return nearestFolder(dirname(folder));
  }
}

async function checkBucket(output: ExportOutput & { readonly kind: 's3' }): Promise<Check> {
  const store = await openOutput(output);
  try {
    await store.check();
    return { name: NAME, state: 'ok', found: `go to the bucket "${output.bucket}"` };
  } catch (error) {
    const advice = 'Correct the exportS3 settings, or the rights of their key.';
    return { name: NAME, state: 'fail', found: (error as Error).message, advice };
  } finally {
    await store.close();
  }
}
