import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';

/** Where the files of exports are kept on S3, or on any server that speaks it. */
export interface S3OutputOptions {
  readonly bucket: string;
  /** Before every key: empty, or ends with a slash. */
  readonly prefix: string;
  /** Of another server than Amazon's. */
  readonly endpoint?: string | undefined;
  /** Left out: what the environment of the AWS client says. */
  readonly region?: string | undefined;
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. */
  readonly pathStyle: boolean;
  /** Left out: what the AWS client finds in its environment, its files, or the machine that it runs on. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  /** Longest silence of a connection, in milliseconds. */
  readonly silenceMs?: number | undefined;
}

/** What a server that is no Amazon's takes every region for. */
const ANY_REGION = 'us-east-1';
const CONNECT_MS = 5_000;
const SILENCE_MS = 30_000;
/** The client waits longer each time, with jitter. */
const ATTEMPTS = 5;

/** A client that retries what can be retried, and sends a checksum with everything that it stores. */
export function createS3Client(options: S3OutputOptions): S3Client {
  const region = options.region ?? (options.endpoint === undefined ? undefined : ANY_REGION);
  const config: S3ClientConfig = {
    forcePathStyle: options.pathStyle,
    requestChecksumCalculation: 'WHEN_SUPPORTED',
    responseChecksumValidation: 'WHEN_SUPPORTED',
    retryMode: 'standard',
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: options.silenceMs ?? SILENCE_MS },
    ...(region === undefined ? {} : { region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  };
  return new S3Client(config);
}

/** Whether the server says that there is no such thing. */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404;
}

/** The HTTP status that the server refused something with; undefined where it did not answer. */
export function statusOf(error: unknown): number | undefined {
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return $metadata?.httpStatusCode;
}
