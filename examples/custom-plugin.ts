/**
 * A plugin with a pointcut of its own: `quotas` limits how many resources a tenant may create, and asks the
 * pointcut ACME_QUOTA_ASKED how many. Whoever runs the server answers it with an interceptor, as any other.
 *
 *     node build/examples/custom-plugin.js
 */
import { createBulkhead, defineInterceptor, FhirError } from 'bulkhead-fhir';
import type { Decide, HookRegistry, Interceptor, Settings } from 'bulkhead-fhir';
import { runIfMain } from './run-example.js';
import type { RunningExample } from './run-example.js';

declare module 'bulkhead-fhir' {
  interface PointcutMap {
    ACME_QUOTA_ASKED: Decide<{ readonly partition: string; readonly resourceType: string }, number>;
  }
}

/** The plugin: makes its pointcut known and gives back the interceptor that fires it. */
export function quotas(hooks: HookRegistry): Interceptor {
  hooks.define('ACME_QUOTA_ASKED', {
    mode: 'decide',
    manual: 'Fires before a create is committed. Answer how many of the type the partition may create.',
  });
  const created = new Map<string, number>();
  return defineInterceptor({
    name: 'quotas',
    hooks: {
      STORAGE_PRECOMMIT_RESOURCE_CREATED: async ({ partition, resource: { resourceType } }) => {
        const key = `${partition.id}/${resourceType}`;
        const count = (created.get(key) ?? 0) + 1;
        const quota = await hooks.decide('ACME_QUOTA_ASKED', { partition: partition.name, resourceType });
        if (quota !== undefined && count > quota) {
          throw new FhirError(
            'LIMIT_EXCEEDED',
            `The quota of ${quota} ${resourceType} resources is used up.`,
          );
        }
        created.set(key, count);
      },
    },
  });
}

const trialTenants = defineInterceptor({
  name: 'trial-tenants',
  hooks: { ACME_QUOTA_ASKED: ({ partition }) => (partition.startsWith('trial-') ? 2 : undefined) },
});

/** Starts the server with a tenant that pays and one that tries. `changes` are other settings. */
export async function start(changes: Partial<Settings> = {}): Promise<RunningExample> {
  const server = await createBulkhead({ settings: { databaseUrl: 'sqlite::memory:', ...changes } });
  server.hooks.register(quotas(server.hooks));
  server.hooks.register(trialTenants);
  await server.partitions.create({ name: 'acme' });
  await server.partitions.create({ name: 'trial-beta' });
  const { url } = await server.start();
  return { url, stop: () => server.stop() };
}

await runIfMain(import.meta.filename, start);
