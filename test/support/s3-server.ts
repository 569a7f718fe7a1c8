import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3OutputOptions } from '../../src/storage/output/s3-client.js';
import { freePort } from './free-port.js';

/** Path of the program of MinIO that tests start; one on the PATH if left out. */
export const S3_SERVER_VARIABLE = 'BULKHEAD_TEST_S3_SERVER';
/** Another S3 server that runs already: `http://KEY:SECRET@HOST:PORT/BUCKET`. */
export const S3_URL_VARIABLE = 'BULKHEAD_TEST_S3_URL';

/** Why tests on S3 are skipped. */
export const NO_S3 = `there is no S3 server; ${S3_SERVER_VARIABLE} or ${S3_URL_VARIABLE} names one`;

const START_TIMEOUT_MS = 30_000;

/**
 * The program of an S3 server; undefined where there is none.
 * @throws Error where the environment names one that is not there
 */
export function findS3Server(): string | undefined {
  const named = process.env[S3_SERVER_VARIABLE];
  if (named) {
    if (existsSync(named)) return named;
    throw new Error(`${S3_SERVER_VARIABLE}: there is no ${named}.`);
  }
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, 'minio')).find((path) => existsSync(path));
}

/** The S3 server that the environment names, with a prefix that nobody else uses. */
export function namedS3(): S3OutputOptions | undefined {
  const given = process.env[S3_URL_VARIABLE];
  if (!given) return undefined;
  const url = new URL(given);
  const credentials = {
    accessKeyId: decodeURIComponent(url.username),
    secretAccessKey: decodeURIComponent(url.password),
  };
  const bucket = url.pathname.slice(1);
  return { endpoint: url.origin, bucket, prefix: `${randomUUID()}/`, pathStyle: true, credentials };
}

/** A MinIO in a temporary folder, on a free port of the loopback address. It ends with this process at the latest. */
export class S3Server {
  private readonly folder = mkdtempSync(join(tmpdir(), 'bulkhead-s3-'));
  private readonly credentials = {
    accessKeyId: `key-${randomBytes(4).toString('hex')}`,
    secretAccessKey: randomBytes(16).toString('hex'),
  };
  private child: ChildProcess | undefined;
  private readonly dispose = (): void => this.stop();

  private constructor(
    private readonly program: string,
    private readonly port: number,
  ) {
    process.once('exit', this.dispose);
  }

  /** Undefined where there is no program to start. @throws Error where it does not come up */
  static async create(): Promise<S3Server | undefined> {
    const program = findS3Server();
    if (program === undefined) return undefined;
    const server = new S3Server(program, await freePort());
    await server.start();
    return server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** A bucket of its own. */
  async createBucket(): Promise<S3OutputOptions> {
    const bucket = `exports-${randomUUID()}`;
    const { endpoint, credentials } = this;
    const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    client.destroy();
    return { endpoint, bucket, prefix: '', pathStyle: true, credentials };
  }

  /** Starts it, also again after `kill`, on the same port with the same data. */
  async start(): Promise<void> {
    const log = openSync(join(this.folder, 'log'), 'a');
    const words = ['server', '--quiet', '--address', `127.0.0.1:${this.port}`, join(this.folder, 'data')];
    this.child = spawn(this.program, words, {
      env: {
        HOME: this.folder,
        MINIO_ROOT_USER: this.credentials.accessKeyId,
        MINIO_ROOT_PASSWORD: this.credentials.secretAccessKey,
        MINIO_BROWSER: 'off',
        MINIO_UPDATE: 'off',
      },
      stdio: ['ignore', log, log],
    });
    const end = Date.now() + START_TIMEOUT_MS;
    while (!(await this.isReady())) {
      if (Date.now() > end || this.child.exitCode !== null)
        throw new Error(`MinIO does not start:\n${this.log()}`);
      await pause(50);
    }
  }

  /** As a power switch would. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child === undefined) return;
    this.child = undefined;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Ends it, and removes its folder. */
  stop(): void {
    process.off('exit', this.dispose);
    this.child?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  private async isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.endpoint}/minio/health/ready`)).ok;
    } catch {
      return false;
    }
  }

  private log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8').slice(-4000);
  }
}
