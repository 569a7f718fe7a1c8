import { createGzip } from 'node:zlib';
import type { PartitionId } from '../../model/partition.js';
import type { OutputFile, OutputStore } from '../../storage/output-store.js';

/** JSON shrinks to a tenth already at a fast level. */
const LEVEL = 3;

/** Files of an export, packed with gzip as they are written. Sizes and ranges are those of what is packed. */
export class ZippedOutput implements OutputStore {
  readonly kind: OutputStore['kind'];

  constructor(private readonly output: OutputStore) {
    this.kind = output.kind;
  }

  async create(key: string): Promise<OutputFile> {
    return new ZippedFile(await this.output.create(key));
  }

  size(key: string): ReturnType<OutputStore['size']> {
    return this.output.size(key);
  }

  read(...asked: Parameters<OutputStore['read']>): ReturnType<OutputStore['read']> {
    return this.output.read(...asked);
  }

  keys(partition: PartitionId, job: string): ReturnType<OutputStore['keys']> {
    return this.output.keys(partition, job);
  }

  remove(key: string): Promise<void> {
    return this.output.remove(key);
  }

  removeJob(partition: PartitionId, job: string): Promise<void> {
    return this.output.removeJob(partition, job);
  }

  removePartition(partition: PartitionId): Promise<void> {
    return this.output.removePartition(partition);
  }

  jobs(): ReturnType<OutputStore['jobs']> {
    return this.output.jobs();
  }

  check(): Promise<void> {
    return this.output.check();
  }

  close(): Promise<void> {
    return this.output.close();
  }
}

class ZippedFile implements OutputFile {
  private readonly gzip = createGzip({ level: LEVEL });
  private readonly copying: Promise<void>;

  constructor(private readonly file: OutputFile) {
    this.copying = this.copy();
    // Whoever writes next is told.
    this.copying.catch(() => undefined);
  }

  async write(chunk: Uint8Array): Promise<void> {
    const taken = Promise.withResolvers<void>();
    this.gzip.write(chunk, (error) => (error ? taken.reject(error) : taken.resolve()));
    await Promise.race([taken.promise, this.copying]);
  }

  async finish(): Promise<void> {
    this.gzip.end();
    await this.copying;
    await this.file.finish();
  }

  async abort(): Promise<void> {
    this.gzip.destroy();
    await this.copying.catch(() => undefined);
    await this.file.abort();
  }

  private async copy(): Promise<void> {
    for await (const chunk of this.gzip) await this.file.write(chunk as Buffer);
  }
}
