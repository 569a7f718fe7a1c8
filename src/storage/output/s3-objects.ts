import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { isMissing } from './s3-client.js';

/** What a file must be: its size, and the CRC-32 of all of it. */
export interface FileDigest {
  readonly bytes: number;
  readonly crc32: number;
}

/** Most keys that S3 lists, or deletes, at once. */
const BATCH = 1_000;

/** The calls of S3 that exports need, on one bucket, by whole keys. */
export class S3Objects {
  constructor(
    private readonly client: S3Client,
    readonly bucket: string,
    private readonly batch = BATCH,
  ) {}

  async put(key: string, body: Uint8Array): Promise<void> {
    await this.client.send(new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: body }));
  }

  /** Undefined where there is no such object. */
  async size(key: string): Promise<number | undefined> {
    try {
      const head = await this.client.send(new HeadObjectCommand({ Bucket: this.bucket, Key: key }));
      return head.ContentLength ?? 0;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async read(key: string, range?: string): Promise<Readable> {
    const { Body } = await this.client.send(
      new GetObjectCommand({
        Bucket: this.bucket,
        Key: key,
        ...(range === undefined ? {} : { Range: range }),
      }),
    );
    // In Node.js it is always one.
    return Body as Readable;
  }

  /**
   * Compares what is stored with what was sent. A server that does not say the checksum of all of it is made to send it
   * back.
   * @throws Error where they differ
   */
  async verify(key: string, sent: FileDigest): Promise<void> {
    const command = new HeadObjectCommand({ Bucket: this.bucket, Key: key, ChecksumMode: 'ENABLED' });
    const { ContentLength: bytes, ChecksumCRC32: checksum } = await this.client.send(command);
    if (bytes !== sent.bytes) throw new Error(`${key}: ${bytes} bytes are stored of ${sent.bytes}.`);
    // With a dash and a number it is a checksum of the parts' checksums.
    const isOfAll = checksum !== undefined && !checksum.includes('-');
    const stored = isOfAll ? checksum : toBase64(await this.checksumOf(key));
    if (stored !== toBase64(sent.crc32)) throw new Error(`${key}: what is stored is not what was sent.`);
  }

  /** Deletes objects, as many as there are; those that are not there are fine. */
  async remove(keys: readonly string[]): Promise<void> {
    for (let at = 0; at < keys.length; at += this.batch) {
      const Objects = keys.slice(at, at + this.batch).map((Key) => ({ Key }));
      const { Errors = [] } = await this.client.send(
        new DeleteObjectsCommand({ Bucket: this.bucket, Delete: { Objects, Quiet: true } }),
      );
      const [first] = Errors;
      if (first) throw new Error(`${first.Key} and ${Errors.length - 1} more: not deleted: ${first.Message}`);
    }
  }

  /** Keys that begin with `prefix`, in pages. */
  async *keys(prefix: string): AsyncGenerator<readonly string[]> {
    const input = { Bucket: this.bucket, Prefix: prefix };
    for await (const { Contents = [] } of paginateListObjectsV2(this.paging, input))
      yield Contents.flatMap(({ Key }) => Key ?? []);
  }

  /** The segments that follow `prefix` in keys, each once, without its slash. */
  async *segments(prefix: string): AsyncGenerator<string> {
    const input = { Bucket: this.bucket, Prefix: prefix, Delimiter: '/' };
    for await (const { CommonPrefixes = [] } of paginateListObjectsV2(this.paging, input))
      for (const { Prefix = '' } of CommonPrefixes) yield Prefix.slice(prefix.length, -1);
  }

  /** Breaks off multipart uploads to keys that begin with `prefix`; some servers look for a whole key alone. */
  async abortUploads(prefix: string): Promise<void> {
    for await (const { Key, UploadId } of this.uploads(prefix)) {
      const command = new AbortMultipartUploadCommand({ Bucket: this.bucket, Key, UploadId });
      await this.client.send(command).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      });
    }
  }

  private async *uploads(
    prefix: string,
  ): AsyncGenerator<{ readonly Key: string; readonly UploadId: string }> {
    let from: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } | undefined = {};
    while (from !== undefined) {
      const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({
        Bucket: this.bucket,
        Prefix: prefix,
        MaxUploads: this.batch,
        ...from,
      });
      const {
        Uploads = [],
        IsTruncated,
        NextKeyMarker,
        NextUploadIdMarker,
      } = await this.client.send(command);
      for (const { Key, UploadId } of Uploads) if (Key && UploadId) yield { Key, UploadId };
      from =
        IsTruncated && NextKeyMarker
          ? { KeyMarker: NextKeyMarker, ...markerOf(NextUploadIdMarker) }
          : undefined;
    }
  }

  private async checksumOf(key: string): Promise<number> {
    let checksum = 0;
    for await (const chunk of await this.read(key)) checksum = crc32(chunk as Buffer, checksum);
    return checksum;
  }

  private get paging() {
    return { client: this.client, pageSize: this.batch };
  }
}

function markerOf(marker: string | undefined): { readonly UploadIdMarker?: string } {
  return marker === undefined ? {} : { UploadIdMarker: marker };
}

/** As S3 writes it: four bytes, the highest first. */
function toBase64(checksum: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(checksum);
  return bytes.toString('base64');
}
