/** $export-file: https://hl7.org/fhir/uv/bulkdata/export.html#bulk-data-output-file-request */
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { requestOf } from '../export/export-request.js';
import { fileName } from '../export/manifest.js';
import { NDJSON } from '../export/ndjson.js';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import type { ExportFile } from '../storage/export-store.js';
import { findExport, unknownExport } from './export-place.js';

/** A file, and how it is asked for. */
interface AskedFile {
  readonly file: ExportFile;
  /** Strong: files never change. */
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** One file of an export that is complete, or that tells of its files before; or a part of it. */
export async function exportFile(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const [, id = '', name = ''] = request.path.split('/');
  const { scope, job } = await findExport(server, request, id);
  const isOpen = job.state === 'complete' || requestOf(job).partialManifests;
  const files = isOpen ? await server.exports.jobs.files(scope, id) : [];
  const file = files.find((one) => fileName(one) === name);
  if (file === undefined) throw unknownExport(id);
  const etag = `"${id}-${name}"`;
  const asked: AskedFile = {
    file,
    etag,
    headers: {
      'content-type': NDJSON,
      'content-disposition': `attachment; filename="${name}"`,
      'accept-ranges': 'bytes',
      vary: 'accept-encoding',
    },
  };
  assertMeant(request, etag);
  const known = knownTag(request, etag);
  if (known !== undefined)
    return { status: 304, headers: { etag: known, vary: 'accept-encoding' }, body: undefined };
  const range = rangeOf(request, asked);
  if (range !== undefined) return part(server, request, { asked, range });
  return takesGzip(request) ? zipped(server, request, asked) : whole(server, request, asked);
}

/** The entity tag of the same bytes in gzip. */
function zippedTag(etag: string): string {
  return etag.replace(/"$/, '-gzip"');
}

/**
 * Files never change, so that whoever asks on condition of another tag means another file.
 * @throws FhirError 412
 */
function assertMeant(request: RequestDetails, etag: string): void {
  const tags = tagsOf(request, 'if-match');
  if (tags.length > 0 && !tags.some((tag) => tag === '*' || tag === etag || tag === zippedTag(etag)))
    throw new FhirError('PRECONDITION_FAILED', 'The file has another ETag than If-Match names.');
}

/** The tag of what the client has already, packed or not; undefined: nothing of this file. */
function knownTag(request: RequestDetails, etag: string): string | undefined {
  const tags = tagsOf(request, 'if-none-match').map((tag) => tag.replace(/^W\//, ''));
  const sent = takesGzip(request) ? zippedTag(etag) : etag;
  if (tags.includes('*')) return sent;
  return [sent, etag, zippedTag(etag)].find((tag) => tags.includes(tag));
}

function tagsOf(request: RequestDetails, name: string): readonly string[] {
  const tags = headerOf(request, name).split(',');
  return tags.map((tag) => tag.trim()).filter((tag) => tag !== '');
}

/** Bytes, both ends inclusive. */
interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * One range of bytes; undefined: the whole file. Several ranges at once, and those of another version of the file, are
 * answered with all of it: https://www.rfc-editor.org/rfc/rfc9110#section-14.2
 * @throws FhirError 416 for a range that is not there
 */
function rangeOf(request: RequestDetails, { file, etag }: AskedFile): ByteRange | undefined {
  const condition = headerOf(request, 'if-range').trim();
  if (condition !== '' && condition !== etag) return undefined;
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(headerOf(request, 'range').trim()) ?? [];
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, file.bytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? file.bytes - 1 : Math.min(Number(last), file.bytes - 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  if (start < file.bytes && !(first === '' && Number(last) === 0)) return { start, end };
  throw new FhirError('INVALID_REQUEST', `The file has ${file.bytes} bytes.`, {
    status: 416,
    headers: { 'content-range': `bytes */${file.bytes}` },
  });
}

async function part(
  server: ServerParts,
  request: RequestDetails,
  { asked, range }: { readonly asked: AskedFile; readonly range: ByteRange },
): Promise<OutgoingResponse> {
  const { file, etag, headers } = asked;
  const { start, end } = range;
  const about = {
    'content-range': `bytes ${start}-${end}/${file.bytes}`,
    'content-length': String(end - start + 1),
  };
  const body = await open(request, () => server.exports.output.read(file.key, range));
  return { status: 206, headers: { ...headers, etag, ...about }, body };
}

async function whole(
  server: ServerParts,
  request: RequestDetails,
  { file, etag, headers }: AskedFile,
): Promise<OutgoingResponse> {
  const body = await open(request, () => server.exports.output.read(file.key));
  return { status: 200, headers: { ...headers, etag, 'content-length': String(file.bytes) }, body };
}

/** Packed while it is sent. */
async function zipped(
  server: ServerParts,
  request: RequestDetails,
  { file, etag, headers }: AskedFile,
): Promise<OutgoingResponse> {
  const source = await open(request, () => server.exports.output.read(file.key));
  // What fails in the source destroys what is read of it, which ends the response; there is nothing else to do.
  const body = pipeline(source, createGzip({ level: GZIP_LEVEL }), () => undefined);
  const about = { etag: zippedTag(etag), 'content-encoding': 'gzip' };
  return { status: 200, headers: { ...headers, ...about }, body };
}

/** JSON shrinks to a tenth already at the fastest level. */
const GZIP_LEVEL = 1;

/** A HEAD request asks for headers alone: nothing is opened for it. */
function open({ method }: RequestDetails, read: () => Promise<Readable>): Promise<Readable> {
  return method === 'HEAD' ? Promise.resolve(Readable.from([])) : read();
}

function takesGzip(request: RequestDetails): boolean {
  return headerOf(request, 'accept-encoding')
    .split(',')
    .some((coding) => /^\s*(gzip|x-gzip|\*)\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/i.test(coding));
}

function headerOf({ headers }: RequestDetails, name: string): string {
  return (headers.get(name) ?? []).join(',');
}
