import { setTimeout as pause } from 'node:timers/promises';
import type { Bundle, OperationOutcome, Resource } from 'fhir/r4.js';
import { createTestServer, type StoreTestOptions, type TestServer } from '../../support/test-server.js';
import { FHIR_JSON, type Answer, FhirClient } from '../support/fhir-client.js';

/** A manifest as clients see it. */
export interface Manifest {
  readonly transactionTime: string;
  readonly request: string;
  readonly requiresAccessToken: boolean;
  readonly output: readonly ManifestItem[];
  readonly deleted: readonly ManifestItem[];
  readonly error: readonly ManifestItem[];
}

export interface ManifestItem {
  readonly type: string;
  readonly url: string;
  readonly count: number;
}

/** Everything that came out of an export. */
export interface Exported {
  readonly manifest: Manifest;
  /** `Type/id`, in order. */
  readonly output: readonly string[];
  readonly resources: readonly Resource[];
  /** `Type/id`, in order. */
  readonly deleted: readonly string[];
  /** Diagnostics, in the order of the files. */
  readonly errors: readonly string[];
  /** Where the status is. */
  readonly location: string;
}

export const ASYNC = { prefer: 'respond-async' };

/** A server with the tenants acme and beta. */
export interface ExportServer {
  readonly server: TestServer;
  readonly root: FhirClient;
  readonly acme: FhirClient;
  readonly beta: FhirClient;
}

export async function openExportServer(options: StoreTestOptions = {}): Promise<ExportServer> {
  const settings = { exportMaxPerPartition: 100, ...options.settings };
  const server = await createTestServer({ partitions: ['acme', 'beta'], ...options, settings });
  const root = new FhirClient(server.url);
  return { server, root, acme: root.tenant('acme'), beta: root.tenant('beta') };
}

/** Starts an export by GET, or by POST where there are parameters. */
export function kickOff(
  client: FhirClient,
  path: string,
  parameter?: readonly object[],
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer<OperationOutcome>> {
  const sent = { accept: FHIR_JSON, ...ASYNC, ...headers };
  if (parameter === undefined) return client.get(path, sent);
  return client.post(path, { resourceType: 'Parameters', parameter }, sent);
}

/** Where the status of an export is that was accepted. */
export function locationOf({ status, headers, text }: Answer<unknown>): string {
  const location = headers.get('content-location');
  if (status !== 202 || location === null) throw new Error(`$export answered ${status}: ${text}`);
  return location;
}

/** Waits for the end of an export; answers its last status. */
export async function ended(client: FhirClient, location: string): Promise<Answer<Manifest>> {
  for (;;) {
    const status = await client.get<Manifest>(location);
    if (status.status !== 202 && status.status !== 429) return status;
    await pause(status.status === 429 ? 500 : 60);
  }
}

/** Exports and reads all files. */
export async function exported(
  client: FhirClient,
  path: string,
  parameter?: readonly object[],
  headers: Readonly<Record<string, string>> = {},
): Promise<Exported> {
  return exportedAt(client, locationOf(await kickOff(client, path, parameter, headers)));
}

/** Waits for the end of an export and reads all files; `toUrl` says where they are now. */
export async function exportedAt(
  client: FhirClient,
  location: string,
  toUrl: (url: string) => string = (url) => url,
): Promise<Exported> {
  const { status, body: manifest, text } = await ended(client, location);
  if (status !== 200) throw new Error(`the export ended with ${status}: ${text}`);
  const there = (item: ManifestItem): ManifestItem => ({ ...item, url: toUrl(item.url) });
  const resources = await linesOf<Resource>(client, manifest.output.map(there));
  const bundles = await linesOf<Bundle>(client, manifest.deleted.map(there));
  const outcomes = await linesOf<OperationOutcome>(client, manifest.error.map(there));
  return {
    manifest,
    resources,
    output: resources.map(({ resourceType, id }) => `${resourceType}/${id}`).toSorted(),
    deleted: bundles.flatMap(({ entry = [] }) => entry.map(({ request }) => request?.url ?? '')).toSorted(),
    errors: outcomes.map(({ issue }) => issue[0]?.diagnostics ?? ''),
    location,
  };
}

/** The resources of files, each of which has as many lines as the manifest says. */
export async function linesOf<Line>(
  client: FhirClient,
  items: readonly ManifestItem[],
): Promise<readonly Line[]> {
  const all: Line[] = [];
  for (const { url, count, type } of items) {
    const { status, text, headers } = await client.get(url);
    if (status !== 200) throw new Error(`${url} answered ${status}`);
    if (headers.get('content-type') !== 'application/fhir+ndjson') throw new Error(`${url} is no NDJSON`);
    if (!text.endsWith('\n')) throw new Error(`${url} does not end its last line`);
    const lines = text.slice(0, -1).split('\n');
    if (lines.length !== count) throw new Error(`${url} has ${lines.length} lines, not ${count}`);
    const read = lines.map((line) => JSON.parse(line) as Line & { readonly resourceType: string });
    if (read.some(({ resourceType }) => resourceType !== type)) throw new Error(`${url} is not all ${type}`);
    all.push(...read);
  }
  return all;
}

export function patientOf(id: string, more: object = {}): object {
  return { resourceType: 'Patient', id, ...more };
}

export function observationOf(id: string, patient: string, more: object = {}): object {
  const subject = { reference: `Patient/${patient}` };
  return { resourceType: 'Observation', id, status: 'final', code: { text: 'x' }, subject, ...more };
}

/** Writes resources by their ids. */
export async function store(client: FhirClient, ...resources: readonly object[]): Promise<void> {
  for (const resource of resources as readonly Resource[]) {
    const { status, text } = await client.put(`${resource.resourceType}/${resource.id}`, resource);
    if (status !== 200 && status !== 201) throw new Error(`a write answered ${status}: ${text}`);
  }
}
