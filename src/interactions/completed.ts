/** How the work for a request ended, told before anybody else learns of it: see SERVER_INTERACTION_COMPLETED. */
import type { OutgoingResponse, RecordWriter } from '../hooks/pointcuts.js';
import type { HookRegistry } from '../hooks/registry.js';
import { FhirError } from '../model/errors.js';
import { DEFAULT_PARTITION_ID } from '../model/partition.js';
import type { RequestDetails } from '../model/request.js';
import { SELECTED_PARTITIONS } from '../partition/resolver.js';
import { attemptWrites } from './planned-write.js';
import { planRecords } from './records.js';
import type { ServerParts } from './server-parts.js';

/** Does the work and tells how it ended. `request` is asked then: its body may have been read meanwhile. */
export function completing(
  server: ServerParts,
  request: () => RequestDetails,
  work: () => Promise<OutgoingResponse>,
): Promise<OutgoingResponse> {
  return isHeard(server) ? workAndTell(server, request, work) : work();
}

/** Tells how work ended that was done already. @throws what a hook throws */
export async function announceCompleted(
  server: ServerParts,
  request: RequestDetails,
  { status, error }: { readonly status: number; readonly error?: unknown },
): Promise<void> {
  const event = { request, status, error, record: recordWriter(server) };
  await server.hooks.veto('SERVER_INTERACTION_COMPLETED', event);
}

/** Whether somebody wants to be told. */
export function isHeard({ hooks }: ServerParts): boolean {
  return hooks.has('SERVER_INTERACTION_COMPLETED');
}

async function workAndTell(
  server: ServerParts,
  request: () => RequestDetails,
  work: () => Promise<OutgoingResponse>,
): Promise<OutgoingResponse> {
  const response = await work().catch(async (error: unknown) => {
    const status = error instanceof FhirError ? error.status : 500;
    if (!REFUSED.has(status)) await selectLate(server, request());
    await announceCompleted(server, request(), { status, error });
    throw error;
  });
  await announceCompleted(server, request(), response);
  return response;
}

/** Who may not be let in selects nothing. */
const REFUSED: ReadonlySet<number> = new Set([401, 403]);

/** What has failed before it had a partition is told where it would have gone. */
async function selectLate({ resolver }: ServerParts, request: RequestDetails): Promise<void> {
  if (request.attributes.has(SELECTED_PARTITIONS)) return;
  const selecting = async (): Promise<unknown> => resolver.resolveRead(request);
  // It may have failed for want of a partition.
  await selecting().catch(() => undefined);
}

/** By the hooks: there is one registry for each server. */
const writers = new WeakMap<HookRegistry, RecordWriter>();

function recordWriter(server: ServerParts): RecordWriter {
  const known = writers.get(server.hooks);
  if (known !== undefined) return known;
  const writer: RecordWriter = async (asked, resources) => {
    const partition = server.directory.byId(asked) ? asked : DEFAULT_PARTITION_ID;
    const records = resources.map((resource) => ({ partition, resource }));
    await attemptWrites(server, {
      plan: async () => ({ writes: await planRecords(server, records) }),
      onReferrers: () => Promise.reject(new Error('records delete nothing')),
    });
  };
  writers.set(server.hooks, writer);
  return writer;
}
