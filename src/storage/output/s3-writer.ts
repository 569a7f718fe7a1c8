import { PassThrough } from 'node:stream';
import { crc32 } from 'node:zlib';
import type { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { S3Objects } from './s3-objects.js';
import type { FileWriter } from './strict-file.js';

/** Of a multipart upload; ten thousand of them are the most. Two are on their way while the next is collected. */
const PART_BYTES = 8 * 2 ** 20;
const PARTS_AT_ONCE = 2;

/**
 * One file on its way to S3: in one piece where it is small, in parts where it is not. A marker beside it says that there
 * are parts, which no listing of files shows, so that they are found after a crash.
 */
export class S3Writer implements FileWriter {
  private readonly body = new PassThrough();
  private readonly done: Promise<void>;
  private bytes = 0;
  private checksum = 0;
  private failure: Error | undefined;
  private refuse: ((error: Error) => void) | undefined;
  private marked = false;
  private completing = false;

  constructor(
    client: S3Client,
    private readonly objects: S3Objects,
    private readonly keys: { readonly file: string; readonly marker: string },
  ) {
    // Whoever writes is told by the upload, which says more.
    this.body.on('error', () => undefined);
    this.done = this.upload(client);
    this.done.catch((error: Error) => this.fail(error));
  }

  /** The upload keeps what it is given until it was sent. */
  async append(bytes: Uint8Array): Promise<void> {
    const chunk = Buffer.from(bytes);
    if (!this.marked && this.bytes + chunk.length > PART_BYTES) {
      this.marked = true;
      await this.objects.put(this.keys.marker, new Uint8Array());
    }
    this.bytes += chunk.length;
    this.checksum = crc32(chunk, this.checksum);
    await this.push(chunk);
  }

  async keep(): Promise<void> {
    this.completing = true;
    this.body.end();
    await this.done;
    await this.objects.verify(this.keys.file, { bytes: this.bytes, crc32: this.checksum });
    await this.unmark();
  }

  async discard(): Promise<void> {
    this.body.destroy(new Error('The file is given up.'));
    await this.done.catch(() => undefined);
    // An upload whose answer was lost may have come to its end.
    if (this.completing) await this.objects.remove([this.keys.file]);
    if (!this.marked) return;
    await this.objects.abortUploads(this.keys.file);
    await this.unmark();
  }

  /** The client breaks a multipart upload off by itself when the body fails. */
  private async upload(client: S3Client): Promise<void> {
    const { bucket } = this.objects;
    const upload = new Upload({
      client,
      partSize: PART_BYTES,
      queueSize: PARTS_AT_ONCE,
      params: {
        Bucket: bucket,
        Key: this.keys.file,
        Body: this.body,
        ContentType: 'application/fhir+ndjson',
        ChecksumAlgorithm: 'CRC32',
        ChecksumType: 'FULL_OBJECT',
      },
    });
    await upload.done();
  }

  /** Ends when the chunk was taken, which waits for parts that are on their way. */
  private push(chunk: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.failure) return reject(this.failure);
      this.refuse = reject;
      this.body.write(chunk, (error) => {
        // That the body is gone says nothing; why the upload ended does.
        if (error) this.done.then(() => reject(error), reject);
        else resolve();
      });
    });
  }

  private fail(error: Error): void {
    this.failure = error;
    this.refuse?.(error);
    this.body.destroy();
  }

  private async unmark(): Promise<void> {
    if (this.marked) await this.objects.remove([this.keys.marker]);
    this.marked = false;
  }
}
