/**
 * Geographic sharding: a resource is kept in the partition of the region where it is likely to be used. A Patient
 * goes to the region of its address, everything else to that of the gateway it came through, which says so in
 * `X-Region`. Reads through a gateway look in its region; without the header they look everywhere.
 *
 *     node build/examples/geographic-sharding.js
 *     curl http://127.0.0.1:8080/fhir/Patient -H 'X-Region: europe'
 *     curl http://127.0.0.1:8080/fhir/Patient
 */
import { createBulkhead, defineInterceptor, FhirError } from 'bulkhead-fhir';
import type { Interceptor, RequestDetails, Resource, Settings } from 'bulkhead-fhir';
import { runIfMain } from './run-example.js';
import type { RunningExample } from './run-example.js';

const REGIONS = ['americas', 'europe'] as const;
type Region = (typeof REGIONS)[number];

const REGION_OF_COUNTRY: Readonly<Record<string, Region>> = {
  AT: 'europe',
  BR: 'americas',
  DE: 'europe',
  FR: 'europe',
  US: 'americas',
};

/** Chooses partitions by region. */
export function geographicSharding(): Interceptor {
  return defineInterceptor({
    name: 'geographic-sharding',
    hooks: {
      STORAGE_PARTITION_IDENTIFY_CREATE: ({ request, resource }) => {
        const region = regionOfAddress(resource) ?? regionOfGateway(request);
        if (region !== undefined) return { by: 'name', names: [region] };
        throw new FhirError('INVALID_REQUEST', 'The region is neither in the address nor in X-Region.');
      },
      STORAGE_PARTITION_IDENTIFY_READ: ({ request }) => {
        const region = regionOfGateway(request);
        return region === undefined ? { by: 'all' } : { by: 'name', names: [region] };
      },
    },
  });
}

/** Starts the server with its regions. `changes` are other settings, for example a port. */
export async function start(changes: Partial<Settings> = {}): Promise<RunningExample> {
  const server = await createBulkhead({
    settings: {
      databaseUrl: 'sqlite::memory:',
      partitioning: ['interceptors'],
      references: 'any',
      ...changes,
    },
    interceptors: [geographicSharding()],
  });
  for (const name of REGIONS) await server.partitions.create({ name });
  const { url } = await server.start();
  return { url, stop: () => server.stop() };
}

function regionOfAddress({ resourceType, address }: Resource): Region | undefined {
  if (resourceType !== 'Patient' || !Array.isArray(address)) return undefined;
  const [first] = address as readonly { readonly country?: string }[];
  return REGION_OF_COUNTRY[first?.country ?? ''];
}

function regionOfGateway({ headers }: RequestDetails): Region | undefined {
  const values = headers.get('x-region');
  if (values === undefined) return undefined;
  const region = REGIONS.find((name) => values.length === 1 && name === values[0]);
  if (region !== undefined) return region;
  throw new FhirError('TENANT_MALFORMED', `X-Region is one of ${REGIONS.join(', ')}.`);
}

await runIfMain(import.meta.filename, start);
