import { parseStored } from './fhir/json.js';
import { Exports } from './export/exports.js';
import type { ExportLimits, ExportParts } from './export/export-parts.js';
import { givingWay, type RequestCount } from './export/giving-way.js';
import type { HookRegistry } from './hooks/registry.js';
import { BLOB_EXTENSION, blobIdOf } from './interactions/blob-pointer.js';
import { binaryJson } from './interactions/binary.js';
import type { Logger } from './log.js';
import type { Resource } from './model/resource.js';
import type { PartitionResolver } from './partition/resolver.js';
import type { PartitionParameters } from './search-parameters/partition-parameters.js';
import type { Searcher } from './search/searcher.js';
import type { Settings } from './settings/schema.js';
import type { HomeExports } from './storage/export-store.js';
import type { OutputStore } from './storage/output-store.js';
import type { Storage } from './storage/storage.js';

/** What the exports of a server are made of. */
export interface ServerExportParts {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly output: OutputStore;
  readonly hooks: HookRegistry;
  readonly resolver: PartitionResolver;
  readonly searcher: Searcher;
  readonly parameters: PartitionParameters;
  readonly logger: Logger;
  readonly clock: () => number;
  /** Requests of this server. */
  readonly served: RequestCount;
  /** Different for every server. */
  readonly owner: string;
}

/** The exports of a server, which know of search and Binaries what is said here. */
export function makeExports(parts: ServerExportParts): Exports {
  const { settings, storage, output, hooks, resolver, searcher, parameters, logger, clock, served, owner } =
    parts;
  return new Exports({
    jobs: storage.exports,
    homes: givingWay(homesOf(storage), served),
    output,
    search: {
      plan: ({ store, scope, filter, base }) => searcher.planIn(store, scope, { ...filter, base }),
      parametersOf: async (partition) => (await parameters.of(partition)).current,
    },
    hooks,
    scopeOf: (partition) => resolver.scopeOfJob(partition),
    wholeBinary: (partition, text) => wholeBinary(storage, partition, text),
    clock,
    limits: limitsOf(settings),
    log: {
      info: (fields, message) => logger.info(fields, message),
      error: (fields, message) => logger.error(fields, message),
    },
    owner,
  });
}

/** Each partition is read in the home that it has at the time. */
function homesOf(storage: Storage): HomeExports {
  return {
    freeze: (partition, work) => storage.useExports(partition, (home) => home.freeze(partition, work)),
    walk: (partition, ...asked) => storage.useExports(partition, (home) => home.walk(partition, ...asked)),
    versionsAt: (partition, list) =>
      storage.useExports(partition, (home) => home.versionsAt(partition, list)),
    lastTexts: (partition, entries) =>
      storage.useExports(partition, (home) => home.lastTexts(partition, entries)),
    countTypes: (partition) => storage.useExports(partition, (home) => home.countTypes(partition)),
  };
}

function limitsOf(settings: Settings): ExportLimits {
  return {
    workers: settings.exportWorkers,
    lease: settings.exportLeaseMs,
    fileBytes: settings.exportFileBytes,
    attempts: settings.exportAttempts,
    lifetime: settings.exportLifetimeMinutes * 60_000,
  };
}

function wholeBinary(
  storage: Storage,
  ...[partition, text]: Parameters<ExportParts['wholeBinary']>
): ReturnType<ExportParts['wholeBinary']> {
  if (!text.includes(BLOB_EXTENSION)) return undefined;
  const resource = parseStored(text) as Resource;
  const blob = blobIdOf(resource);
  return blob === undefined ? undefined : encoded(binaryJson(resource, storage.blobs.read(partition, blob)));
}

async function* encoded(texts: AsyncIterable<string>): AsyncIterable<Uint8Array> {
  for await (const text of texts) yield Buffer.from(text);
}
