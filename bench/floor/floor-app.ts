import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { DomainResource } from 'fhir/r4.js';
import Koa, { type Context } from 'koa';
import { extractFloorRows } from './floor-extract.js';
import type { FloorResource, FloorStore } from './floor-store.js';

interface FloorEntry {
  readonly fullUrl?: string;
  readonly resource: DomainResource;
  readonly request: { readonly method: string; readonly url: string };
}

/**
 * The bare way from HTTP to the database and back: no validation, no partitions, no hooks, no error messages. It
 * knows the requests that the benchmarks send and nothing else.
 */
export function createFloorApp(store: FloorStore): Koa {
  const app = new Koa();
  app.use(async (context) => {
    context.type = 'application/fhir+json';
    const [, type = '', id] = context.path.split('/');
    if (context.method !== 'POST') await answerRead(store, context, { type, id });
    else if (type === '') context.body = await transaction(store, await readJson(context.req));
    else await create(store, context);
  });
  return app;
}

async function create(store: FloorStore, context: Context): Promise<void> {
  const resource = prepare((await readJson(context.req)) as DomainResource, randomUUID());
  await store.create(resource);
  context.status = 201;
  context.set('location', `/${resource.type}/${resource.id}/_history/1`);
  context.set('etag', 'W/"1"');
  context.body = resource.text;
}

async function answerRead(
  store: FloorStore,
  context: Context,
  { type, id }: { readonly type: string; readonly id: string | undefined },
): Promise<void> {
  if (id === undefined) {
    const [system = '', value = ''] = String(context.query['code']).split('|');
    const texts = await store.search(type, { system, value }, Number(context.query['_count']));
    const entries = texts.map((text) => `{"resource":${text}}`).join(',');
    context.body = `{"resourceType":"Bundle","type":"searchset","entry":[${entries}]}`;
    return;
  }
  const text = await store.read(type, id);
  context.status = text === undefined ? 404 : 200;
  context.set('etag', 'W/"1"');
  context.body = text ?? '{}';
}

async function transaction(store: FloorStore, body: unknown): Promise<string> {
  const { entry } = body as { readonly entry: readonly FloorEntry[] };
  const ids = new Map<string, string>();
  const named = entry.map(({ fullUrl, resource, request }) => {
    const id = request.method === 'PUT' ? String(resource.id) : randomUUID();
    if (fullUrl !== undefined) ids.set(fullUrl, `${resource.resourceType}/${id}`);
    return { id, resource };
  });
  const resources = named.map(({ id, resource }) => {
    rewriteReferences(resource, ids);
    return prepare(resource, id);
  });
  await store.write(resources);
  const answers = resources.map(({ type, id, updated }) => {
    const lastModified = new Date(updated).toISOString();
    return `{"response":{"status":"201","location":"${type}/${id}/_history/1","lastModified":"${lastModified}"}}`;
  });
  return `{"resourceType":"Bundle","type":"transaction-response","entry":[${answers.join(',')}]}`;
}

function rewriteReferences(node: unknown, ids: ReadonlyMap<string, string>): void {
  if (Array.isArray(node)) {
    for (const item of node) if (typeof item === 'object') rewriteReferences(item, ids);
    return;
  }
  const members = node as Record<string, unknown>;
  for (const key in members) {
    const value = members[key];
    if (key === 'reference' && typeof value === 'string') members[key] = ids.get(value) ?? value;
    else if (typeof value === 'object' && value !== null) rewriteReferences(value, ids);
  }
}

function prepare(resource: DomainResource, id: string): FloorResource {
  const updated = Date.now();
  resource.id = id;
  resource.meta = { ...resource.meta, versionId: '1', lastUpdated: new Date(updated).toISOString() };
  return {
    type: resource.resourceType,
    id,
    updated,
    text: JSON.stringify(resource),
    rows: extractFloorRows(resource),
  };
}

function readJson(message: IncomingMessage): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString('utf8'))));
    message.on('error', reject);
  });
}
