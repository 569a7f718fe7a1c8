/** $meta, $meta-add, $meta-delete: https://hl7.org/fhir/R4/resource-operations.html */
import { metaAdd, metaDelete } from '../fhir/meta.js';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { contentOf, findCurrent, gone, notFound, onlyOne } from '../interactions/find.js';
import { assertValid, isJsonObject } from '../interactions/incoming.js';
import { assertWhole } from '../interactions/permission.js';
import { planReplacement } from '../interactions/plan-write.js';
import { executeWrites, type PlannedWrite } from '../interactions/planned-write.js';
import { mayTellOf, resourceResponse } from '../interactions/response.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { show } from '../interactions/show.js';
import { FhirError } from '../model/errors.js';
import type { PartitionScope } from '../model/partition.js';
import type { RequestDetails } from '../model/request.js';
import type { Meta, Resource } from '../model/resource.js';
import { targetOf } from '../partition/resolver.js';
import type { StoredVersion } from '../storage/store.js';
import { assertKnown, readParameters } from './parameters.js';

type MetaChange = (meta: Meta, given: Meta) => Meta;

/** The meta of one version, or the labels that are in use in the scope at type or server level. */
export async function meta(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  assertKnown(readParameters(request), []);
  const scope = await server.resolver.resolveRead(request);
  if (request.resourceId === undefined) {
    assertWhole(request, 'search', request.resourceType ?? '*');
    const types = request.resourceType === undefined ? undefined : [request.resourceType];
    return metaResponse(request, await server.labels.inUse(scope, types));
  }
  const [shown] = await show(server, request, [await findVersion(server, scope, request)]);
  if (!shown) throw notFound(request.resourceType ?? '', request.resourceId);
  if (shown.text === null) throw gone(shown.version);
  return metaResponse(request, contentOf({ ...shown.version, text: shown.text }).meta ?? {});
}

export function metaAddOperation(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  return changeMeta(server, request, metaAdd);
}

export function metaDeleteOperation(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  return changeMeta(server, request, metaDelete);
}

async function changeMeta(
  server: ServerParts,
  request: RequestDetails,
  change: MetaChange,
): Promise<OutgoingResponse> {
  if (request.versionId !== undefined) {
    throw new FhirError('NOT_SUPPORTED', 'Labels of earlier versions cannot be changed.');
  }
  const given = givenMeta(request);
  const { writes } = await executeWrites(server, request, async () => {
    const write = await planChange(server, request, { given, change });
    return { writes: [write] as const };
  });
  const { resource } = writes[0];
  return metaResponse(request, resource && mayTellOf(request, resource) ? (resource.meta ?? {}) : {});
}

/** Whoever guards updates guards this: it is announced as one. */
async function planChange(
  server: ServerParts,
  request: RequestDetails,
  { given, change }: { readonly given: Meta; readonly change: MetaChange },
): Promise<PlannedWrite> {
  const scope = await server.resolver.resolveReadOf(request, { ...targetOf(request), interaction: 'update' });
  const current = await findVersion(server, scope, request);
  const content = contentOf(current);
  const resource: Resource = { ...content, meta: change(content.meta ?? {}, given) };
  await assertValid(server, request, resource);
  return planReplacement(server, request, { resource, current });
}

async function findVersion(
  server: ServerParts,
  scope: PartitionScope,
  request: RequestDetails,
): Promise<StoredVersion> {
  const { resourceType = '', resourceId = '', versionId } = request;
  const found =
    versionId === undefined
      ? await findCurrent(server, scope, resourceType, resourceId)
      : onlyOne(
          server,
          await server.resources.readVersion(scope, resourceType, resourceId, Number(versionId) || 0),
        );
  if (!found) throw notFound(resourceType, resourceId);
  if (found.deleted) throw gone(found);
  return found;
}

/** @throws FhirError INVALID_REQUEST */
function givenMeta(request: RequestDetails): Meta {
  const parameters = readParameters(request);
  assertKnown(parameters, ['meta']);
  const [one] = parameters;
  if (parameters.length !== 1 || !isJsonObject(one?.value)) {
    throw new FhirError('INVALID_REQUEST', "The parameter 'meta' (a Meta) is required, once.");
  }
  const { profile, tag, security } = one.value;
  for (const [name, list] of Object.entries({ profile, tag, security })) {
    const known = name === 'profile' ? (item: unknown) => typeof item === 'string' : isJsonObject;
    if (list !== undefined && !(Array.isArray(list) && list.every(known))) {
      throw new FhirError('INVALID_REQUEST', `meta.${name} must be a list.`, {
        expression: [`meta.${name}`],
      });
    }
  }
  return one.value as Meta;
}

/** A meta with nothing in it can't be written, as FHIR has no empty objects (https://hl7.org/fhir/R4/json.html). */
function metaResponse(request: RequestDetails, value: Meta): OutgoingResponse {
  const isEmpty = Object.keys(value).length === 0;
  return resourceResponse(request, {
    resourceType: 'Parameters',
    ...(isEmpty ? {} : { parameter: [{ name: 'return', valueMeta: value }] }),
  });
}
