import { setTimeout as pause } from 'node:timers/promises';
import type { Bundle, OperationOutcome } from 'fhir/r4.js';
import type { Resource } from '../../src/model/resource.js';
import type { CrashServer } from './crash-server.js';
import type { Violations } from './crash-verify.js';
import { tenantsIn } from './export-content.js';
import { type Answered, attempt, request } from './move-client.js';

const POLL_MS = 100;
const HASTY = 429;
const MOST_MINUTES = 30;

interface ManifestItem {
  readonly type: string;
  readonly url: string;
  readonly count: number;
}

interface Manifest {
  readonly transactionTime: string;
  readonly output: readonly ManifestItem[];
  readonly deleted: readonly ManifestItem[];
  readonly error: readonly ManifestItem[];
}

/** What came out of an export. */
export interface Exported {
  readonly transactionTime: string;
  /** The same in milliseconds since 1970. */
  readonly at: number;
  /** Contents by `Type/id`. */
  readonly output: ReadonlyMap<string, string>;
  /** `Type/id` */
  readonly deleted: ReadonlySet<string>;
  /** Of all files. */
  readonly bytes: number;
  readonly files: number;
  /** What is wrong with the files as such. */
  readonly violations: Violations;
}

/** Starts an export; answers where its status is. @throws Error where it is refused */
export async function kickOff(base: string, path: string): Promise<string> {
  const { headers } = await request(base, 'GET', path, {
    headers: { prefer: 'respond-async' },
    status: 202,
  });
  return headers.get('content-location') ?? '';
}

/** The id of an export whose status is there. */
export function jobOf(location: string): string {
  return new URL(location).searchParams.get('_jobId') ?? '';
}

/** The same status, asked of this server. */
export function askedOf({ origin }: CrashServer, location: string): string {
  const { pathname, search } = new URL(location);
  return `${origin}${pathname}${search}`;
}

/** Waits for the end of an export, whatever happens to servers meanwhile; answers its last status. */
export async function ended(location: string): Promise<Answered> {
  const end = Date.now() + MOST_MINUTES * 60_000;
  for (;;) {
    const answer = await attempt(() => request('', 'GET', location));
    const isOver = answer !== undefined && ![202, HASTY, 503, 504].includes(answer.status);
    if (isOver) return answer;
    if (Date.now() > end) throw new Error(`${location} does not end.`);
    await pause(answer?.status === HASTY ? 1_000 : POLL_MS);
  }
}

/** Waits for the end of an export and reads all its files. @throws Error where it fails */
export async function exportedAt(location: string): Promise<Exported> {
  const { status, bytes } = await ended(location);
  if (status !== 200) throw new Error(`${location} ended with ${status}: ${bytes.toString()}`);
  return readFiles(JSON.parse(bytes.toString()) as Manifest, tenantOf(location));
}

/** Ends an export, and asks for it again; answers what is wrong. */
export async function removeExport(location: string): Promise<Violations> {
  const { status } = await request('', 'DELETE', location);
  const after = await request('', 'GET', location);
  return status === 202 && after.status === 404
    ? []
    : [`DELETE of ${location} answered ${status}, and then it was ${after.status}`];
}

function tenantOf(location: string): string {
  return new URL(location).pathname.split('/')[2] ?? '';
}

async function readFiles(manifest: Manifest, tenant: string): Promise<Exported> {
  const violations: Violations = [];
  const reader = { tenant, violations, bytes: 0 };
  const output = new Map<string, string>();
  for (const item of manifest.output)
    for (const line of await linesOf(reader, item)) {
      const { resourceType, id } = JSON.parse(line) as Resource;
      const key = `${resourceType}/${id}`;
      if (output.has(key)) violations.push(`${key} is there twice`);
      if (resourceType !== item.type) violations.push(`${key} is in a file of ${item.type}`);
      output.set(key, line);
    }
  const deleted = new Set<string>();
  for (const item of manifest.deleted)
    for (const line of await linesOf(reader, item))
      for (const { request: asked } of (JSON.parse(line) as Bundle).entry ?? []) {
        const key = asked?.url ?? '';
        if (deleted.has(key) || output.has(key))
          violations.push(`${key} is deleted and there, or deleted twice`);
        deleted.add(key);
      }
  for (const item of manifest.error)
    for (const line of await linesOf(reader, item))
      violations.push(`an error: ${(JSON.parse(line) as OperationOutcome).issue[0]?.diagnostics}`);
  const { transactionTime } = manifest;
  const files = manifest.output.length + manifest.deleted.length + manifest.error.length;
  return {
    transactionTime,
    at: Date.parse(transactionTime),
    output,
    deleted,
    bytes: reader.bytes,
    files,
    violations,
  };
}

interface Reader {
  readonly tenant: string;
  readonly violations: Violations;
  bytes: number;
}

/** Lines of a file that is as the manifest says, and has nothing of another tenant. */
async function linesOf(reader: Reader, { url, count }: ManifestItem): Promise<readonly string[]> {
  const { violations, tenant } = reader;
  const { status, bytes } = await request('', 'GET', url);
  const text = bytes.toString();
  reader.bytes += bytes.length;
  if (status !== 200) {
    violations.push(`${url} answered ${status}: ${text.slice(0, 300)}`);
    return [];
  }
  for (const other of tenantsIn(text))
    if (other !== tenant) violations.push(`${url} of ${tenant} has data of ${other}`);
  if (!text.endsWith('\n')) violations.push(`${url} is truncated`);
  const lines = text.split('\n').slice(0, -1);
  if (lines.length !== count) violations.push(`${url} has ${lines.length} lines, not ${count}`);
  return lines;
}
