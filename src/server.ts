import 'reflect-metadata';
import { container, instanceCachingFactory, type DependencyContainer, type InjectionToken } from 'tsyringe';
import { partitionSources } from '../interceptors/partition-sources.js';
import { packageVersion } from './fhir/definitions.js';
import { Exports } from './export/exports.js';
import type { Interceptor } from './hooks/interceptor.js';
import { HookRegistry } from './hooks/registry.js';
import { toFhirError } from './http/errors.js';
import { createMetrics, type Metrics } from './http/metrics.js';
import { numberMaker, uuidMaker } from './interactions/new-id.js';
import { type ServerClock, serverClock } from './interactions/server-clock.js';
import type { ServerParts } from './interactions/server-parts.js';
import { loadInterceptorModules } from './interceptor-modules.js';
import { createLogger, type Logger } from './log.js';
import { DEFAULT_PARTITION_ID } from './model/partition.js';
import { PartitionDirectory } from './partition/directory.js';
import { PartitionManagement } from './partition/management.js';
import { PartitionMoves } from './partition/moves.js';
import { PartitionPurge } from './partition/purge.js';
import { Reindexing } from './partition/reindex.js';
import { PartitionResolver } from './partition/resolver.js';
import { PartitionRetention } from './partition/retention.js';
import { PartitionUsages } from './partition/usages.js';
import { PlannedLimits } from './search/access-limits.js';
import { pageSecret } from './search/page-token.js';
import { Searcher } from './search/searcher.js';
import { LiveSearchParameters } from './search-parameters/live-search-parameters.js';
import { PartitionParameters } from './search-parameters/partition-parameters.js';
import type { ResourceStores } from './search-parameters/with-official-parameters.js';
import { type BackgroundJob, type Bulkhead, RunningServer } from './running-server.js';
import { defaultSettings } from './settings.js';
import type { Settings } from './settings/schema.js';
import { makeAuthenticator } from './server-authentication.js';
import { makeAuthorizationServer, makeClients } from './server-authorization.js';
import { makeExports } from './server-exports.js';
import { makeParameters, makePartitionParameters, type ServerParameterParts } from './server-parameters.js';
import {
  limitedStores,
  makeLimits,
  makeSearcher,
  makeTerminology,
  type ServerSearchParts,
} from './server-search.js';
import { openStorage } from './storage/open-storage.js';
import { exportOutputOf } from './settings/export-output.js';
import { toStorageOptions } from './storage-options.js';
import { openOutput } from './storage/output/open-output.js';
import type { OutputStore } from './storage/output-store.js';
import type { Storage } from './storage/storage.js';
import { Terminology } from './terminology/terminology.js';

/** What a server is made from. */
export interface BulkheadOptions {
  /** What differs from the defaults; `loadSettings` reads all of them from environment, file and flags. */
  readonly settings?: Partial<Settings>;
  /** Registered after those of the settings. */
  readonly interceptors?: readonly Interceptor[];
  /** Milliseconds since 1970 UTC; the system's clock if left out. */
  readonly clock?: () => number;
  /** Where log lines go, each with its line break; standard output if left out. */
  readonly log?: { write(line: string): void };
}

const SETTINGS: InjectionToken<Settings> = Symbol('Settings');
const LOGGER: InjectionToken<Logger> = Symbol('Logger');
const STORAGE: InjectionToken<Storage> = Symbol('Storage');
const OUTPUT: InjectionToken<OutputStore> = Symbol('OutputStore');
const METRICS: InjectionToken<Metrics> = Symbol('Metrics');
const PARTS: InjectionToken<ServerParts> = Symbol('ServerParts');
const STORES: InjectionToken<ResourceStores> = Symbol('ResourceStores');
const CLOCK: InjectionToken<ServerClock> = Symbol('clock');
const PAGE_SECRET: InjectionToken<string> = Symbol('page secret');

/**
 * Opens a server: storage first, then everything that works on it. Nothing listens before `start`.
 * @throws Error for an interceptor module that can't be loaded, or a database that can't be opened.
 */
export async function createBulkhead(options: BulkheadOptions = {}): Promise<Bulkhead> {
  const settings = defaultSettings(options.settings);
  const registry = container.createChildContainer();
  registerTools(registry, settings, options);
  const directory = await openDirectory(registry, settings);
  try {
    return await assemble(registry, directory, options.interceptors ?? []);
  } catch (error) {
    // Whoever got no server can't stop it: a pool left open would keep the process alive.
    await registry.resolve(STORAGE).close();
    throw error;
  }
}

async function assemble(
  registry: DependencyContainer,
  directory: PartitionDirectory,
  interceptors: readonly Interceptor[],
): Promise<Bulkhead> {
  const settings = registry.resolve(SETTINGS);
  const storage = registry.resolve(STORAGE);
  registry.register(OUTPUT, { useValue: await openOutput(exportOutputOf(settings)) });
  registry.register(PAGE_SECRET, { useValue: await pageSecret(storage, settings.pageLinkSecret) });
  registerParts(registry, directory);
  const parameters = registry.resolve(LiveSearchParameters);
  await parameters.refresh();
  await parameters.noteFullText();
  await registry.resolve(PartitionParameters).refresh();
  const parts = registry.resolve(PARTS);
  const hooks = registry.resolve(HookRegistry);
  const modules = await loadInterceptorModules(settings.interceptors);
  const sources = partitionSources(settings, { partitions: () => parts.management });
  for (const interceptor of [...sources, ...modules, ...interceptors]) hooks.register(interceptor);
  return new RunningServer({
    parts,
    storage,
    logger: registry.resolve(LOGGER),
    metrics: registry.resolve(METRICS),
    authenticator: makeAuthenticator(settings, registry.resolve(CLOCK)),
    authorization: makeAuthorizationServer(parts, storage, registry.resolve(LOGGER)),
    jobs: [PartitionPurge, PartitionMoves, Reindexing].map((job) => registry.resolve<BackgroundJob>(job)),
  });
}

function registerTools(
  registry: DependencyContainer,
  settings: Settings,
  { clock = Date.now, log }: BulkheadOptions,
): void {
  registry.register(SETTINGS, { useValue: settings });
  registry.register(CLOCK, { useValue: serverClock(clock) });
  registry.register(LOGGER, { useFactory: instanceCachingFactory(() => createLogger(settings, log)) });
  registry.register(METRICS, { useFactory: instanceCachingFactory(() => createMetrics()) });
  registry.register(HookRegistry, {
    useFactory: instanceCachingFactory((scope) => {
      const logger = scope.resolve(LOGGER);
      return new HookRegistry({
        onSwallowed: (pointcut, interceptor, error) =>
          logger.error({ pointcut, interceptor, err: error }, 'a hook failed'),
      });
    }),
  });
}

async function openDirectory(registry: DependencyContainer, settings: Settings): Promise<PartitionDirectory> {
  const storage = await openStorage({
    ...toStorageOptions(settings, registry.resolve(CLOCK)),
    warn: (message) => registry.resolve(LOGGER).warn(message),
    info: (message) => registry.resolve(LOGGER).info(message),
  });
  registry.register(STORAGE, { useValue: storage });
  const directory = new PartitionDirectory(storage.partitions);
  await directory.load();
  return directory;
}

function registerParts(registry: DependencyContainer, directory: PartitionDirectory): void {
  registry.register(PartitionDirectory, { useValue: directory });
  registry.register(PartitionPurge, { useFactory: instanceCachingFactory(makePurge) });
  registry.register(PartitionMoves, { useFactory: instanceCachingFactory(makeMoves) });
  registry.register(PartitionManagement, { useFactory: instanceCachingFactory(makeManagement) });
  registry.register(PartitionResolver, { useFactory: instanceCachingFactory(makeResolver) });
  registry.register(Terminology, { useFactory: instanceCachingFactory(makeServerTerminology) });
  registry.register(LiveSearchParameters, {
    useFactory: instanceCachingFactory((scope) => makeParameters(parameterParts(scope))),
  });
  registry.register(PartitionParameters, { useFactory: instanceCachingFactory(makeOwnParameters) });
  registry.register(Reindexing, { useFactory: instanceCachingFactory(makeReindexing) });
  registry.register(PlannedLimits, {
    useFactory: instanceCachingFactory((scope) => makeLimits(searchParts(scope))),
  });
  registry.register(STORES, { useFactory: instanceCachingFactory(makeStores) });
  registry.register(Searcher, { useFactory: instanceCachingFactory(makeServerSearcher) });
  registry.register(Exports, { useFactory: instanceCachingFactory(makeServerExports) });
  registry.register(PARTS, { useFactory: instanceCachingFactory(makeParts) });
}

function makePurge(registry: DependencyContainer): PartitionPurge {
  const logger = registry.resolve(LOGGER);
  return new PartitionPurge({
    storage: registry.resolve(STORAGE),
    hooks: registry.resolve(HookRegistry),
    newId: uuidMaker(registry.resolve(CLOCK)),
    removeExports: (partition) => registry.resolve(Exports).removePartition(partition),
    onError: (job, error) => logger.error({ job: job?.id, err: error }, 'a partition could not be purged'),
  });
}

function makeMoves(registry: DependencyContainer): PartitionMoves {
  const logger = registry.resolve(LOGGER);
  return new PartitionMoves({
    storage: registry.resolve(STORAGE),
    indexer: (partition) => registry.resolve(PartitionParameters).indexer(partition),
    copies: () => registry.resolve(LiveSearchParameters).uplifts,
    newId: uuidMaker(registry.resolve(CLOCK)),
    onMoved: () => registry.resolve(PartitionDirectory).load(),
    onError: (job, error) => logger.error({ job: job?.id, err: error }, 'a partition could not be moved'),
  });
}

function makeManagement(registry: DependencyContainer): PartitionManagement {
  return new PartitionManagement({
    hooks: registry.resolve(HookRegistry),
    directory: registry.resolve(PartitionDirectory),
    registry: registry.resolve(STORAGE).partitions,
    purge: registry.resolve(PartitionPurge),
    moves: registry.resolve(PartitionMoves),
    retention: new PartitionRetention({
      storage: registry.resolve(STORAGE),
      clock: registry.resolve(CLOCK),
      copies: () => registry.resolve(LiveSearchParameters).uplifts,
    }),
    newId: uuidMaker(registry.resolve(CLOCK)),
    removeExports: (partition) => registry.resolve(Exports).removePartition(partition),
    onCreated: (partition) => registry.resolve(PartitionParameters).forget(partition),
    placement: registry.resolve(SETTINGS).placement,
  });
}

function makeResolver(registry: DependencyContainer): PartitionResolver {
  const { partitioning, unnamedPartitions, partitionSearchParameters, auth } = registry.resolve(SETTINGS);
  return new PartitionResolver(registry.resolve(HookRegistry), registry.resolve(PartitionDirectory), {
    enabled: !partitioning.includes('off'),
    grants: auth === 'on' ? 'judged' : 'ignored',
    unnamed: unnamedPartitions,
    alsoHeld: new Set(partitionSearchParameters ? ['SearchParameter'] : []),
    adopt: (id) => registry.resolve(PartitionManagement).adopt(id),
  });
}

function makeServerTerminology(registry: DependencyContainer): Terminology {
  const scope = registry.resolve(PartitionResolver).scopeOfJob(DEFAULT_PARTITION_ID);
  return makeTerminology(registry.resolve(STORAGE), scope, registry.resolve(CLOCK));
}

function parameterParts(registry: DependencyContainer): ServerParameterParts {
  return {
    settings: registry.resolve(SETTINGS),
    storage: registry.resolve(STORAGE),
    resolver: registry.resolve(PartitionResolver),
    clock: registry.resolve(CLOCK),
  };
}

function makeOwnParameters(registry: DependencyContainer): PartitionParameters {
  return makePartitionParameters(parameterParts(registry), registry.resolve(LiveSearchParameters));
}

function makeReindexing(registry: DependencyContainer): Reindexing {
  const logger = registry.resolve(LOGGER);
  return new Reindexing({
    storage: registry.resolve(STORAGE),
    paths: registry.resolve(LiveSearchParameters),
    ownPaths: (partition) => registry.resolve(PartitionParameters).own(partition),
    indexer: (partition) => registry.resolve(PartitionParameters).indexer(partition),
    copies: () => registry.resolve(LiveSearchParameters).uplifts,
    newId: uuidMaker(registry.resolve(CLOCK)),
    clock: registry.resolve(CLOCK),
    onError: (job, error) => logger.error({ job: job?.id, err: error }, 'a reindex goes on later'),
  });
}

function makeStores(registry: DependencyContainer): ResourceStores {
  const limits = registry.resolve(PlannedLimits);
  return limitedStores(registry.resolve(STORAGE), limits, registry.resolve(LiveSearchParameters));
}

function searchParts(registry: DependencyContainer): ServerSearchParts {
  return {
    settings: registry.resolve(SETTINGS),
    storage: registry.resolve(STORAGE),
    parameters: registry.resolve(PartitionParameters),
    terminology: registry.resolve(Terminology),
    resolver: registry.resolve(PartitionResolver),
    clock: registry.resolve(CLOCK),
  };
}

function makeServerSearcher(registry: DependencyContainer): Searcher {
  return makeSearcher(searchParts(registry), {
    store: registry.resolve(STORES).search,
    onStaleCopies: (partition) => registry.resolve(Reindexing).renewCopies(partition),
    secret: registry.resolve(PAGE_SECRET),
  });
}

function makeServerExports(registry: DependencyContainer): Exports {
  return makeExports({
    settings: registry.resolve(SETTINGS),
    storage: registry.resolve(STORAGE),
    output: registry.resolve(OUTPUT),
    hooks: registry.resolve(HookRegistry),
    resolver: registry.resolve(PartitionResolver),
    searcher: registry.resolve(Searcher),
    parameters: registry.resolve(PartitionParameters),
    logger: registry.resolve(LOGGER),
    clock: registry.resolve(CLOCK),
    served: () => registry.resolve<Metrics>(METRICS).served,
    owner: uuidMaker(registry.resolve(CLOCK))(),
  });
}

function makeParts(registry: DependencyContainer): ServerParts {
  const settings = registry.resolve(SETTINGS);
  const storage = registry.resolve(STORAGE);
  const clock = registry.resolve(CLOCK);
  const uuid = uuidMaker(clock);
  return {
    settings,
    hooks: registry.resolve(HookRegistry),
    resolver: registry.resolve(PartitionResolver),
    directory: registry.resolve(PartitionDirectory),
    management: registry.resolve(PartitionManagement),
    resources: registry.resolve(STORES).resources,
    partitions: storage.partitions,
    labels: storage.labels,
    blobs: storage.blobs,
    searcher: registry.resolve(Searcher),
    limits: registry.resolve(PlannedLimits),
    terminology: registry.resolve(Terminology),
    parameters: registry.resolve(LiveSearchParameters),
    partitionParameters: registry.resolve(PartitionParameters),
    reindexing: registry.resolve(Reindexing),
    exports: registry.resolve(Exports),
    usages: new PartitionUsages(storage.usage),
    clients: makeClients({ settings, clock, storage, directory: registry.resolve(PartitionDirectory) }),
    clock,
    newId: settings.serverIds === 'uuid' ? uuid : numberMaker((count) => storage.takeNumbers(count)),
    newRequestId: uuid,
    version: packageVersion(),
    reportUnexpected: (requestId, error) => toFhirError(error, requestId, registry.resolve(LOGGER)),
  };
}
