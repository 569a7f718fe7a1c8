/** capabilities: https://hl7.org/fhir/R4/http.html#capabilities */
import { RESOURCE_TYPES } from '../fhir/r4/resource-types.js';
import { smartEndpoints } from '../clients/smart-endpoints.js';
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import type { Resource } from '../model/resource.js';
import { describeOperations, operationsOf, type OperationDescription } from '../operations/operations.js';
import { isServerLevel } from '../operations/partition-management.js';
import { jsonResponse, resourceResponse } from './response.js';
import { commonCapabilities, type ParametersByType, searchCapabilities } from './search-capabilities.js';
import type { ServerParts } from './server-parts.js';
import { PLAIN, presentationOf } from './presentation.js';
import { present } from './show.js';
import { type StatementLayer, statementText } from './statement-text.js';
import { terminologyCapabilities } from './terminology-capabilities.js';

const INTERACTIONS = [
  'read',
  'vread',
  'update',
  'patch',
  'delete',
  'history-instance',
  'history-type',
  'create',
  'search-type',
];
const SYSTEM_INTERACTIONS = ['transaction', 'batch', 'search-system', 'history-system'];
/** https://hl7.org/fhir/smart-app-launch/conformance.html, and the older extension that clients still look for. */
const OAUTH_URIS = 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris';
const SECURITY_SERVICE = {
  system: 'http://terminology.hl7.org/CodeSystem/restful-security-service',
  code: 'SMART-on-FHIR',
  display: 'SMART-on-FHIR',
};
const COMPARTMENTS = ['device', 'encounter', 'patient', 'practitioner', 'relatedPerson'];

/**
 * The statement of the tenant that asks: its own base URL, and what applies there; or what it knows of terminology.
 * @throws FhirError NOT_SUPPORTED for another mode
 */
export async function capabilities(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const scope = await server.resolver.resolveRead(request);
  const mode = request.parameters.find(([name]) => name === 'mode')?.[1] ?? 'full';
  if (mode === 'terminology') {
    const statement = terminologyCapabilities(server, request);
    return resourceResponse(request, present(statement, presentationOf(request)));
  }
  if (mode !== 'full' && mode !== 'normative')
    throw new FhirError('NOT_SUPPORTED', 'mode is full, normative or terminology.');
  const level = isServerLevel(request) ? 'server' : 'tenant';
  const { list, shared, own } = await server.partitionParameters.byType(scope);
  const presentation = presentationOf(request);
  if (presentation === PLAIN && !server.hooks.has('SERVER_CAPABILITY_STATEMENT_GENERATED')) {
    const layer = { shared, own, level } as const;
    const { serverBase } = request;
    const make = (base: string): Resource => toStatement(server, { base, serverBase, level }, list);
    return jsonResponse(200, statementText(server, request, layer, make));
  }
  const { base, serverBase } = request;
  const statement = toStatement(server, { base, serverBase, level }, list);
  const shown = await server.hooks.transform('SERVER_CAPABILITY_STATEMENT_GENERATED', { request }, statement);
  return resourceResponse(request, present(shown, presentation));
}

function toStatement(
  server: ServerParts,
  { base, serverBase, level }: Pick<RequestDetails, 'base' | 'serverBase'> & Pick<StatementLayer, 'level'>,
  parametersOf: ParametersByType,
): Resource {
  const operations = describeOperations(level);
  const searches = searchCapabilities(parametersOf);
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: new Date(performance.timeOrigin).toISOString(),
    publisher: 'Bulkhead',
    kind: 'instance',
    instantiates: ['http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data'],
    software: { name: 'Bulkhead', version: server.version },
    implementation: { description: 'Bulkhead FHIR server', url: base },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'json', 'application/fhir+xml', 'xml'],
    patchFormat: ['application/json-patch+json', 'application/fhir+json', 'application/fhir+xml'],
    rest: [
      {
        mode: 'server',
        ...security(server, { base, serverBase }),
        interaction: SYSTEM_INTERACTIONS.map((code) => ({ code })),
        searchParam: commonCapabilities(),
        operation: operations.filter(({ levels }) => levels.includes('system')).map(toOperation),
        compartment: COMPARTMENTS.map((name) => `http://hl7.org/fhir/CompartmentDefinition/${name}`),
        resource: [...RESOURCE_TYPES].map((type) => ({
          ...toResourceEntry(server, type, operations),
          ...searches[type],
        })),
      },
    ],
  };
}

/** Nothing where no token is needed. */
function security({ settings }: ServerParts, place: Pick<RequestDetails, 'base' | 'serverBase'>): object {
  if (settings.auth === 'off') return {};
  const endpoints = smartEndpoints(settings, place);
  const uris = endpoints && {
    url: OAUTH_URIS,
    extension: [
      { url: 'token', valueUri: endpoints.token },
      { url: 'authorize', valueUri: endpoints.authorization },
    ],
  };
  return {
    security: {
      ...(uris ? { extension: [uris] } : {}),
      cors: true,
      service: [{ coding: [SECURITY_SERVICE], text: 'Bearer tokens with SMART scopes.' }],
    },
  };
}

function toResourceEntry(
  server: ServerParts,
  type: string,
  operations: readonly OperationDescription[],
): object {
  const own = operationsOf(type, operations);
  return {
    type,
    profile: `http://hl7.org/fhir/StructureDefinition/${type}`,
    interaction: INTERACTIONS.map((code) => ({ code })),
    versioning: 'versioned-update',
    readHistory: true,
    updateCreate: server.settings.clientIds !== 'none',
    conditionalCreate: true,
    conditionalRead: 'full-support',
    conditionalUpdate: true,
    conditionalDelete: 'single',
    referencePolicy: ['literal', 'logical', 'enforced', 'local'],
    operation: own.map(toOperation),
  };
}

function toOperation({ name, title = name.slice(1), definition }: OperationDescription): object {
  return { name: title, definition };
}
