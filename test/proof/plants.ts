import { defineInterceptor, FhirError, PRINCIPAL, principalOf, type Bulkhead } from '../../src/index.js';
import type { PartitionScope } from '../../src/model/partition.js';
import type { ServerParts } from '../../src/interactions/server-parts.js';
import type { Alteration } from './world.js';

/**
 * Leaks that the proof has to find. Each is planted in every server of a world: where a tenant is alone it changes
 * nothing.
 */
export const PLANTS = {
  'a hook that widens the scope of searches for groups': ({ hooks }) => {
    hooks.register(
      defineInterceptor({
        name: 'wide-groups',
        order: -1_000,
        hooks: {
          STORAGE_PARTITION_IDENTIFY_READ: ({ target }) =>
            target.resourceType === 'Group' && target.interaction === 'search-type'
              ? { by: 'all' }
              : undefined,
        },
      }),
    );
  },
  'a read that looks elsewhere where it finds nothing': ({ parts }) => {
    replace(parts, 'resources', (store) => ({
      read: async (scope, type, id) => {
        const found = await store.read(scope, type, id);
        return found.length > 0 ? found : (await store.read(everywhere(parts, scope), type, id)).slice(0, 1);
      },
    }));
  },
  'a read that refuses what exists elsewhere': ({ parts }) => {
    replace(parts, 'resources', (store) => ({
      read: async (scope, type, id) => {
        const found = await store.read(scope, type, id);
        if (found.length === 0 && (await store.read(everywhere(parts, scope), type, id)).length > 0) {
          throw new FhirError('FORBIDDEN', 'This belongs to somebody else.');
        }
        return found;
      },
    }));
  },
  'versions without a predicate': ({ parts }) => {
    replace(parts, 'resources', (store) => ({
      readVersion: async (scope, ...rest) =>
        (await store.readVersion(everywhere(parts, scope), ...rest)).slice(0, 1),
    }));
  },
  'a history of encounters without a predicate': ({ parts }) => {
    replace(parts, 'resources', (store) => ({
      history: (scope, query) =>
        store.history(query.type === 'Encounter' ? everywhere(parts, scope) : scope, query),
    }));
  },
  'conditions that match anywhere': ({ parts }) => {
    replace(parts, 'searcher', (searcher) => ({
      match: (scope, ...rest) => searcher.match(everywhere(parts, scope), ...rest),
    }));
  },
  'labels of everybody': ({ parts }) => {
    replace(parts, 'labels', (labels) => ({
      inUse: (scope, ...rest) => labels.inUse(everywhere(parts, scope), ...rest),
    }));
  },
  'page links that are good for everybody': ({ parts }) => {
    const { searcher } = parts;
    const openPage = <State>(scope: PartitionScope, token: string): State => {
      for (const { id } of parts.directory.list()) {
        try {
          return searcher.openPage<State>({ ...scope, partitions: [id] }, token);
        } catch (error) {
          if (!(error instanceof FhirError && error.code === 'UNKNOWN_PAGE_LINK')) throw error;
        }
      }
      return searcher.openPage<State>(scope, token);
    };
    replace(parts, 'searcher', () => ({ openPage }));
  },
  'exports that everybody may ask for': ({ parts }) => {
    const { jobs } = parts.exports;
    const find: typeof jobs.find = (scope, id) => jobs.find(everywhere(parts, scope), id);
    replace(parts, 'exports', (exports) => ({ jobs: over(jobs, { find }), output: exports.output }));
  },
  'a cache of reads without the tenant in its key': ({ hooks }) => {
    const known = new Map<string, object>();
    hooks.register(
      defineInterceptor({
        name: 'careless-cache',
        hooks: {
          SERVER_OUTGOING_RESPONSE: ({ request, value }) => {
            if (request.interaction !== 'read' || value.status !== 200) return undefined;
            const cached = known.get(request.path) as typeof value | undefined;
            known.set(request.path, value);
            return cached;
          },
        },
      }),
    );
  },
  'a header that counts the requests of all': ({ hooks }) => {
    let count = 0;
    hooks.register(
      defineInterceptor({
        name: 'counter',
        hooks: {
          SERVER_OUTGOING_RESPONSE: ({ value }) => ({
            ...value,
            headers: { ...value.headers, 'x-count': String(Math.floor(++count / 50)) },
          }),
        },
      }),
    );
  },
  'a token that opens the groups of every tenant': ({ hooks }) => {
    hooks.register(
      defineInterceptor({
        name: 'generous',
        hooks: {
          SERVER_INCOMING_REQUEST_PRE_HANDLED: ({ request }) => {
            const principal = principalOf(request);
            if (principal === undefined || request.resourceType !== 'Group') return;
            request.attributes.set(PRINCIPAL, { ...principal, tenants: { kind: 'all' } });
          },
        },
      }),
    );
  },
  'a line of the log that is about the request before': ({ hooks }, log) => {
    let before = '';
    hooks.register(
      defineInterceptor({
        name: 'talkative',
        hooks: {
          SERVER_PROCESSING_COMPLETED: ({ request }) => {
            log(`{"level":"debug","requestId":"${request?.id}","msg":"after ${before}"}\n`);
            before = request?.path ?? '';
          },
        },
      }),
    );
  },
} as const satisfies Readonly<Record<string, Alteration>>;

/** The name of a leak. */
export type PlantName = keyof typeof PLANTS;

function everywhere({ directory }: ServerParts, scope: PartitionScope): PartitionScope {
  return { ...scope, partitions: directory.list().map(({ id }) => id) };
}

/** A part of the server with some of its members replaced. */
function replace<Name extends keyof ServerParts>(
  parts: Bulkhead['parts'],
  name: Name,
  changed: (part: ServerParts[Name]) => Partial<ServerParts[Name]>,
): void {
  const part = parts[name];
  Object.assign(parts, { [name]: over(part as object, changed(part) as object) });
}

/** The members of a class are found in the part itself, and work on it. */
function over<Part extends object>(part: Part, changed: Partial<Part>): Part {
  return new Proxy(part, {
    get: (target, key) => {
      if (key in changed) return changed[key as keyof Part];
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
