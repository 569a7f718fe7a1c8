import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { GetObjectCommand, HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { PartitionId } from '../../model/partition.js';
import type { OutputFile, OutputStore } from '../output-store.js';
import {
  checkedJobPrefix,
  isJobSegment,
  isOutputKey,
  parseOutputKey,
  partitionOfSegment,
} from './output-key.js';
import { createS3Client, type S3OutputOptions, statusOf } from './s3-client.js';
import { S3Objects } from './s3-objects.js';
import { S3Writer } from './s3-writer.js';
import { StrictFile } from './strict-file.js';

/**
 * Files of exports in a bucket of S3, or of a server that speaks it. What stands under a key is whole, and was compared
 * with what was sent.
 */
export class S3Output implements OutputStore {
  readonly kind = 's3';
  private readonly client: S3Client;
  private readonly objects: S3Objects;

  constructor(private readonly options: S3OutputOptions) {
    this.client = createS3Client(options);
    this.objects = new S3Objects(this.client, options.bucket);
  }

  async create(key: string): Promise<OutputFile> {
    const { partition, job, name } = parseOutputKey(key);
    const prefix = this.prefix(partition, job);
    const keys = { file: prefix + name, marker: `${prefix}.${name}.part` };
    return new StrictFile(key, new S3Writer(this.client, this.objects, keys));
  }

  async size(key: string): Promise<number | undefined> {
    return this.objects.size(this.whole(key));
  }

  async read(key: string, range?: { readonly start: number; readonly end: number }): Promise<Readable> {
    return this.objects.read(this.whole(key), range && `bytes=${range.start}-${range.end}`);
  }

  async presign(key: string, seconds: number): Promise<string> {
    const command = new GetObjectCommand({ Bucket: this.options.bucket, Key: this.whole(key) });
    return getSignedUrl(this.client, command, { expiresIn: seconds });
  }

  async *keys(partition: PartitionId, job: string): AsyncGenerator<string> {
    for await (const keys of this.objects.keys(this.prefix(partition, job)))
      for (const whole of keys) {
        const key = whole.slice(this.options.prefix.length);
        if (isOutputKey(key)) yield key;
      }
  }

  async remove(key: string): Promise<void> {
    await this.objects.remove([this.whole(key)]);
  }

  async removeJob(partition: PartitionId, job: string): Promise<void> {
    await this.removeAll(this.prefix(partition, job));
  }

  async removePartition(partition: PartitionId): Promise<void> {
    await this.removeAll(`${this.options.prefix}p${partition}/exports/`);
  }

  async *jobs(): AsyncGenerator<{ readonly partition: PartitionId; readonly job: string }> {
    const { prefix } = this.options;
    for await (const own of this.objects.segments(prefix)) {
      const partition = partitionOfSegment(own);
      if (partition === undefined) continue;
      for await (const job of this.objects.segments(`${prefix}${own}/exports/`))
        if (isJobSegment(job)) yield { partition, job };
    }
  }

  async check(): Promise<void> {
    try {
      await this.client.send(new HeadBucketCommand({ Bucket: this.options.bucket }));
      const probe = `${this.options.prefix}.${randomUUID()}.probe`;
      await this.objects.put(probe, new Uint8Array());
      await this.objects.remove([probe]);
    } catch (cause) {
      const place = this.options.endpoint === undefined ? '' : ` at ${this.options.endpoint}`;
      const where = `the bucket "${this.options.bucket}"${place}`;
      throw new Error(`Exports cannot be written to ${where}: ${reasonOf(cause)}`, { cause });
    }
  }

  async close(): Promise<void> {
    this.client.destroy();
  }

  /** Multipart uploads go first: a marker stays until its parts are gone. */
  private async removeAll(prefix: string): Promise<void> {
    await this.objects.abortUploads(prefix);
    for await (const keys of this.objects.keys(prefix)) {
      for (const key of keys) {
        const marked = fileOfMarker(key);
        if (marked !== undefined) await this.objects.abortUploads(marked);
      }
      await this.objects.remove(keys);
    }
  }

  private prefix(partition: PartitionId, job: string): string {
    return this.options.prefix + checkedJobPrefix(partition, job);
  }

  private whole(key: string): string {
    const { partition, job, name } = parseOutputKey(key);
    return this.prefix(partition, job) + name;
  }
}

/** The key of the file that a marker stands beside; undefined for any other key. */
function fileOfMarker(key: string): string | undefined {
  const [, folder, name] = /^(.*\/)\.([^/]+)\.part$/.exec(key) ?? [];
  return folder === undefined || name === undefined ? undefined : folder + name;
}

const REASONS: Readonly<Record<number, string>> = {
  301: 'it is in another region',
  403: 'the credentials are refused',
  404: 'there is no such bucket',
};

function reasonOf(error: unknown): string {
  const { message, name } = error as Error;
  return REASONS[statusOf(error) ?? 0] ?? (message || name);
}
