import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OutputStore } from '../output-store.js';
import { LocalOutput } from './local-output.js';
import type { S3OutputOptions } from './s3-client.js';

/** Where exports are kept. */
export type OutputOptions =
  /** Without a folder: in a temporary one, which goes when the store is closed. */
  | { readonly kind: 'local'; readonly folder: string | undefined }
  | ({ readonly kind: 's3' } & S3OutputOptions);

/** Opens the store of exports' files, and makes nothing there yet. The client of S3 is loaded where it is asked for. */
export async function openOutput(options: OutputOptions): Promise<OutputStore> {
  if (options.kind === 's3') {
    const { S3Output } = await import('./s3-output.js');
    return new S3Output(options);
  }
  if (options.folder !== undefined) return new LocalOutput(options.folder, 'kept');
  return new LocalOutput(join(tmpdir(), `bulkhead-exports-${randomUUID()}`), 'temporary');
}
