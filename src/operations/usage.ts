/** $usage: what the partitions of the caller hold, and how much they may. */
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { assertAdmin } from '../interactions/admin.js';
import { quotaOf, seesAll } from '../interactions/quotas.js';
import { resourceResponse } from '../interactions/response.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { insufficientScope } from '../model/access.js';
import type { Partition } from '../model/partition.js';
import { principalOf } from '../model/principal.js';
import type { PartitionUsage, Quota } from '../model/quota.js';
import type { RequestDetails } from '../model/request.js';
import { targetOf } from '../partition/resolver.js';
import { assertKnown, readParameters } from './parameters.js';

/** An entry for each partition that the caller sees; `_ALL` is for those who manage the server. */
export async function usage(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  assertKnown(readParameters(request), []);
  if (!seesAll(request) && principalOf(request)?.admin !== true)
    throw insufficientScope('What a partition holds is for those who may read all of it.');
  const scope = await server.resolver.resolveReadOf(request, {
    ...targetOf(request),
    resourceType: undefined,
  });
  if (scope.all) assertAdmin(server, request);
  const partitions = scope.partitions.flatMap((id) => server.directory.byId(id) ?? []);
  const parameter: object[] = [];
  for (const partition of partitions) parameter.push(await describe(server, request, partition));
  return resourceResponse(request, { resourceType: 'Parameters', parameter });
}

async function describe(server: ServerParts, request: RequestDetails, partition: Partition): Promise<object> {
  const quota = (await quotaOf(server, request, partition)) ?? {};
  if (quota.resources !== undefined || quota.bytes !== undefined) await server.usages.ensure(partition.id);
  const held = await server.usages.read(partition.id);
  const jobs = await server.exports.jobs.countOpen(partition.id);
  return {
    name: 'partition',
    part: [{ name: 'name', valueCode: partition.name }, ...partsOf({ ...held, jobs }, quota)],
  };
}

type Held = Partial<PartitionUsage> & { readonly jobs: number };

/** What is not kept is left out, and so are limits that there are not. Integers of FHIR end at 2^31. */
function partsOf(held: Held, quota: Quota): readonly object[] {
  return (['resources', 'bytes', 'jobs'] as const).flatMap((kind) => {
    const [used, limit] = [held[kind], quota[kind]];
    return [
      ...(used === undefined ? [] : [{ name: kind, valueDecimal: used }]),
      ...(limit === undefined || limit === Infinity ? [] : [{ name: `${kind}Limit`, valueDecimal: limit }]),
    ];
  });
}
