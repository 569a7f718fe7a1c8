/** The REST interactions of https://hl7.org/fhir/R4/http.html, and `operation` for every `$name`. */
export type Interaction =
  | 'read'
  | 'vread'
  | 'create'
  | 'update'
  | 'patch'
  | 'delete'
  | 'history-instance'
  | 'history-type'
  | 'history-system'
  | 'search-type'
  | 'search-system'
  | 'capabilities'
  | 'batch'
  | 'transaction'
  | 'page'
  | 'operation';

/**
 * One request, immutable, as interceptors and interactions see it. Each entry of a batch or transaction gets
 * one of its own, whose `parent` is the bundle's.
 */
export interface RequestDetails {
  /** The request id that the response and every log line carry. */
  readonly id: string;
  readonly method: string;
  readonly interaction: Interaction;
  /** The path segment that names a tenant; undefined where the URL has none. */
  readonly urlTenant: string | undefined;
  /** The server's base without a tenant, no trailing slash: `http://localhost:8080/fhir`. */
  readonly serverBase: string;
  /** The base that everything the server prints begins with: `serverBase`, and the URL's tenant if it has one. */
  readonly base: string;
  /** Path below `base`, without a leading slash: `Patient/1`. */
  readonly path: string;
  readonly resourceType: string | undefined;
  readonly resourceId: string | undefined;
  readonly versionId: string | undefined;
  /** `$name` of an operation. */
  readonly operation: string | undefined;
  /** A search below a resource, such as `Patient/1/Observation`, finds only what belongs to that one. */
  readonly compartment?: CompartmentTarget | undefined;
  /** Query parameters (and form parameters of POST _search), decoded, in order, repeated ones kept. */
  readonly parameters: readonly QueryParameter[];
  /** Header values by lower-case name; a header that was sent twice has two values. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Where the connection comes from, as the socket tells it; undefined where there is none. */
  readonly remoteAddress?: string | undefined;
  /** The parsed body, where the interaction has one. */
  readonly body: unknown;
  /** For an entry of a bundle: the bundle's request. */
  readonly parent: RequestDetails | undefined;
  /** For interceptors: values that live as long as the request (for example a verified token's claims). */
  readonly attributes: Map<string, unknown>;
}

/** The resource that a search stands below, as the URL names it. */
export interface CompartmentTarget {
  readonly type: 'Device' | 'Encounter' | 'Patient' | 'Practitioner' | 'RelatedPerson';
  readonly id: string;
}

/** One query parameter: decoded name (with modifier and chain) and value. */
export type QueryParameter = readonly [name: string, value: string];

/**
 * Attribute of a request: who it is made for, a text such as the subject of a verified token. An interceptor may set
 * it; exports and their files are then for whoever asked for them alone.
 */
export const SUBJECT = 'bulkhead.subject';

/** Attribute of a request that is only described (`$partition-explain`): hooks answer, and change nothing for it. */
export const DESCRIBED_ONLY = 'bulkhead.described-only';
