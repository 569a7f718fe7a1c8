import type { Coding, RequestDetails, Resource } from '../src/index.js';

/** Who asks, as the AuditEvent names it. */
export interface AuditedWho {
  /** Who vouches for the names: the issuer of the token, as the system of their identifiers. */
  readonly system?: string;
  readonly client?: string;
  readonly user?: string;
  /** What the user is called: `Practitioner/1` or a name. */
  readonly userName?: string;
  /** Where the client is; where its connection comes from if left out, which may be a proxy. */
  readonly address?: string;
  /** Id of the token, never the token. */
  readonly tokenId?: string;
}

/** The resource that a request is about. `link` false: it may not be where the event is, or may never have been. */
export interface AuditedResource {
  readonly type: string;
  readonly id: string;
  readonly version?: number | undefined;
  readonly link: boolean;
}

/** What an AuditEvent tells. */
export interface AuditedEvent {
  readonly request: RequestDetails;
  readonly action: AuditAction;
  /** Milliseconds since 1970 UTC. */
  readonly recorded: number;
  readonly status: number;
  /** Code of the error catalogue, and nothing of the message, which may quote content. */
  readonly problem?: string | undefined;
  readonly who: AuditedWho;
  readonly about?: AuditedResource | undefined;
  /** The search or operation as it was asked for. */
  readonly query?: string | undefined;
  /** Ids of the patients whose data were seen or changed; they are in the partition of the event. */
  readonly patients: readonly string[];
  /** How many more there were. */
  readonly morePatients: number;
  /** Name of the partition that was asked. */
  readonly partition?: string | undefined;
}

/** https://hl7.org/fhir/R4/valueset-audit-event-action.html */
export type AuditAction = 'create' | 'read' | 'update' | 'delete' | 'execute';

/** Tag of the events that the server has written itself. */
export const AUDIT_TAG: Coding = { system: 'urn:bulkhead:audit', code: 'server' };

/** Queries are kept to this many characters. */
const MOST_QUERY = 16_384;

const PROFILE = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit';
const TERMS = 'http://terminology.hl7.org/CodeSystem';
const DICOM = 'http://dicom.nema.org/resources/ontology/DCM';
const INTERACTION = 'http://hl7.org/fhir/restful-interaction';
const ENTITY_TYPE = `${TERMS}/audit-entity-type`;
const ROLE = `${TERMS}/object-role`;
const REQUEST_ID: Coding = {
  system: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType',
  code: 'XrequestId',
};

const ACTION_CODES = { create: 'C', read: 'R', update: 'U', delete: 'D', execute: 'E' } as const;

/** Codes of the value set that are named otherwise here. */
const SUBTYPES: Readonly<Partial<Record<RequestDetails['interaction'], string>>> = { page: 'search' };

/**
 * An AuditEvent in the shape of IHE's Basic Audit Log Patterns (https://profiles.ihe.net/ITI/BALP). It names a profile
 * where it is one of its events: successes of the RESTful interactions.
 */
export function toAuditEvent(event: AuditedEvent): Resource {
  const { request, action, recorded, status } = event;
  const profile = profileOf(event);
  return {
    resourceType: 'AuditEvent',
    meta: { ...(profile === undefined ? {} : { profile: [profile] }), tag: [AUDIT_TAG] },
    type: { system: `${TERMS}/audit-event-type`, code: 'rest', display: 'Restful Operation' },
    subtype: subtypesOf(event),
    action: ACTION_CODES[action],
    recorded: new Date(recorded).toISOString(),
    outcome: status < 400 ? '0' : status < 500 ? '4' : '8',
    ...outcomeDescription(event),
    agent: agentsOf(event),
    source: sourceOf(event),
    entity: [
      entity(REQUEST_ID, undefined, { what: { identifier: { value: request.id } } }),
      ...dataOf(event),
      ...queryOf(event),
      ...event.patients.map((id) => entity(PERSON, PATIENT, { what: { reference: `Patient/${id}` } })),
    ],
  };
}

function profileOf({ request, action, status, patients, query, about }: AuditedEvent): string | undefined {
  if (status >= 400) return undefined;
  const { interaction } = request;
  const isQuery = interaction === 'search-type' || interaction === 'search-system' || interaction === 'page';
  const isInstance = about !== undefined && query === undefined;
  if (action === 'execute' ? !isQuery : !isInstance) return undefined;
  const name = isQuery ? 'Query' : `${action[0]!.toUpperCase()}${action.slice(1)}`;
  // The profiles for patients have one each.
  return `${PROFILE}.${patients.length === 1 ? 'Patient' : ''}${name}`;
}

function subtypesOf({ request: { interaction, operation }, action }: AuditedEvent): readonly Coding[] {
  const named = operation === undefined ? [] : [{ system: 'urn:bulkhead:operation', code: operation }];
  const done = action === 'create' || action === 'update' || action === 'delete';
  const code = done && interaction !== 'patch' ? action : (SUBTYPES[interaction] ?? interaction);
  return [{ system: INTERACTION, code }, ...named];
}

function outcomeDescription({ problem, morePatients }: AuditedEvent): { readonly outcomeDesc?: string } {
  const more = morePatients === 0 ? [] : [`${morePatients} further patients`];
  const told = [...(problem === undefined ? [] : [problem]), ...more].join('; ');
  return told === '' ? {} : { outcomeDesc: told };
}

/** The server sends where something is read, and is sent to else; BALP has queries go from the client to the server. */
function agentsOf(event: AuditedEvent): readonly object[] {
  const { who, request, action } = event;
  const { client, user } = who;
  const [clientType, serverType] = AGENT_TYPES[action];
  const { address = request.remoteAddress } = who;
  const clientAgent = {
    type: { coding: [clientType] },
    who: client === undefined ? { display: 'unknown' } : { identifier: identifierOf(who, client) },
    requestor: user === undefined,
    ...(user === undefined ? policyOf(who) : {}),
    ...(address === undefined ? {} : { network: { address, type: '2' } }),
  };
  const serverAgent = {
    type: { coding: [serverType] },
    who: serverOf(request),
    requestor: false,
    network: { address: new URL(request.serverBase).host, type: '1' },
  };
  return [clientAgent, serverAgent, ...(user === undefined ? [] : [userAgent(event, user)])];
}

function userAgent({ who, action }: AuditedEvent, user: string): object {
  const isReader = action === 'read' || action === 'execute';
  const code = isReader ? 'IRCP' : 'AUT';
  return {
    type: { coding: [{ system: `${TERMS}/v3-ParticipationType`, code }] },
    who: { identifier: identifierOf(who, user) },
    altId: user,
    ...(who.userName === undefined ? {} : { name: who.userName }),
    requestor: true,
    ...policyOf(who),
  };
}

function identifierOf({ system }: AuditedWho, value: string): object {
  return system === undefined || system === '' ? { value } : { system, value };
}

/** A URI has no white space. */
function policyOf({ tokenId }: AuditedWho): { readonly policy?: readonly string[] } {
  return tokenId !== undefined && /^\S{1,256}$/.test(tokenId) ? { policy: [tokenId] } : {};
}

function serverOf({ serverBase }: RequestDetails): object {
  return { identifier: { system: 'urn:ietf:rfc:3986', value: serverBase } };
}

function sourceOf({ request, partition }: AuditedEvent): object {
  return {
    ...(partition === undefined ? {} : { site: partition }),
    observer: serverOf(request),
    type: [{ system: `${TERMS}/security-source-type`, code: '4', display: 'Application Server' }],
  };
}

const SOURCE: Coding = { system: DICOM, code: '110153', display: 'Source Role ID' };
const DESTINATION: Coding = { system: DICOM, code: '110152', display: 'Destination Role ID' };
const APPLICATION: Coding = { system: DICOM, code: '110150', display: 'Application' };
const CUSTODIAN: Coding = {
  system: `${TERMS}/provenance-participant-type`,
  code: 'custodian',
  display: 'Custodian',
};

/** What the client is, and what the server is. */
const AGENT_TYPES: Readonly<Record<AuditAction, readonly [client: Coding, server: Coding]>> = {
  create: [SOURCE, DESTINATION],
  read: [DESTINATION, SOURCE],
  update: [SOURCE, DESTINATION],
  delete: [APPLICATION, CUSTODIAN],
  execute: [SOURCE, DESTINATION],
};

const PERSON: Coding = { system: ENTITY_TYPE, code: '1', display: 'Person' };
const SYSTEM_OBJECT: Coding = { system: ENTITY_TYPE, code: '2', display: 'System Object' };
const PATIENT: Coding = { system: ROLE, code: '1', display: 'Patient' };
const DOMAIN_RESOURCE: Coding = { system: ROLE, code: '4', display: 'Domain Resource' };
const QUERY: Coding = { system: ROLE, code: '24', display: 'Query' };

function entity(type: Coding, role: Coding | undefined, rest: object): object {
  return { ...rest, type, ...(role === undefined ? {} : { role }) };
}

function dataOf({ about }: AuditedEvent): readonly object[] {
  if (about === undefined) return [];
  const { type, id, version, link } = about;
  const reference = `${type}/${id}${version === undefined ? '' : `/_history/${version}`}`;
  const what = link ? { reference } : toIdentifier(reference);
  return [entity(SYSTEM_OBJECT, DOMAIN_RESOURCE, { what })];
}

/** The same event; what it refers to is named by identifiers, which may be of anything. */
export function withoutLinks(event: Resource): Resource {
  const entities = event['entity'] as readonly { readonly what?: { readonly reference?: string } }[];
  return {
    ...event,
    entity: entities.map((one) => ({ ...one, ...(one.what && { what: unlinked(one.what) }) })),
  };
}

function unlinked(what: { readonly reference?: string }): object {
  const { reference } = what;
  return reference === undefined ? what : toIdentifier(reference);
}

function toIdentifier(reference: string): object {
  return { type: reference.slice(0, reference.indexOf('/')), identifier: { value: reference } };
}

function queryOf({ query }: AuditedEvent): readonly object[] {
  if (query === undefined) return [];
  const kept = query.slice(0, MOST_QUERY);
  const description = `The first ${MOST_QUERY} of ${query.length} characters.`;
  return [
    entity(SYSTEM_OBJECT, QUERY, {
      ...(kept === query ? {} : { description }),
      query: Buffer.from(kept).toString('base64'),
    }),
  ];
}
