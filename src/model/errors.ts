import type { OperationOutcome, OutcomeIssue } from './resource.js';

/**
 * Every error that the server answers with, by stable code: HTTP status, FHIR issue type
 * (http://hl7.org/fhir/issue-type) and what the client can do. `docs/errors.md` is held equal to this table
 * by a test.
 */
export const ERROR_CATALOGUE = {
  MALFORMED_JSON: { status: 400, issue: 'structure', advice: 'Send one JSON document in UTF-8.' },
  MALFORMED_XML: {
    status: 400,
    issue: 'structure',
    advice: 'Send one FHIR resource as XML 1.0 in UTF-8, without DOCTYPE.',
  },
  PAYLOAD_TOO_LARGE: {
    status: 413,
    issue: 'too-long',
    advice: 'Send less, or raise the limit in the settings.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    issue: 'not-supported',
    advice: 'Send application/fhir+json or +xml.',
  },
  NOT_ACCEPTABLE: { status: 406, issue: 'not-supported', advice: 'Accept application/fhir+json or +xml.' },
  INVALID_RESOURCE: { status: 422, issue: 'invalid', advice: 'Correct the elements that the issues name.' },
  INVALID_REQUEST: { status: 400, issue: 'invalid', advice: 'Correct the request.' },
  UNKNOWN_RESOURCE_TYPE: { status: 404, issue: 'not-supported', advice: 'Use a FHIR R4 resource type.' },
  UNKNOWN_OPERATION: {
    status: 404,
    issue: 'not-supported',
    advice: 'See the CapabilityStatement for operations.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    issue: 'not-supported',
    advice: 'Use a method that the Allow header lists.',
  },
  NOT_FOUND: { status: 404, issue: 'not-found', advice: 'Check the type, id and tenant.' },
  GONE: { status: 410, issue: 'deleted', advice: 'The resource was deleted; its history can be read.' },
  SEVERAL_MATCHES: { status: 412, issue: 'multiple-matches', advice: 'Narrow the criteria to one resource.' },
  VERSION_CONFLICT: {
    status: 409,
    issue: 'conflict',
    advice: 'Read the resource again and repeat the change.',
  },
  VERSION_MISMATCH: { status: 412, issue: 'conflict', advice: 'Read the current version and send its ETag.' },
  PRECONDITION_FAILED: {
    status: 412,
    issue: 'conflict',
    advice: 'The condition of the request does not hold.',
  },
  REFERENCE_NOT_FOUND: {
    status: 400,
    issue: 'not-found',
    advice: 'Create the target first, or correct the reference.',
  },
  DELETE_CONFLICT: {
    status: 409,
    issue: 'conflict',
    advice: 'Delete or change the resources that refer to it first.',
  },
  DUPLICATE: { status: 409, issue: 'duplicate', advice: 'Use the resource that exists.' },
  SEARCH_PARAMETER_OVERLAP: {
    status: 422,
    issue: 'business-rule',
    advice: 'Take the shared types out of the base of the parameter that is named, or retire it.',
  },
  UNKNOWN_SEARCH_PARAMETER: {
    status: 400,
    issue: 'not-supported',
    advice: 'Use a parameter of the CapabilityStatement, or send Prefer: handling=lenient.',
  },
  INVALID_SEARCH: { status: 400, issue: 'invalid', advice: 'Correct the search parameter that is named.' },
  INVALID_PAGE_LINK: { status: 400, issue: 'invalid', advice: 'Follow page links as they were given.' },
  UNKNOWN_PAGE_LINK: {
    status: 404,
    issue: 'not-found',
    advice: 'Repeat the search; page links end with their time.',
  },
  LIMIT_EXCEEDED: { status: 400, issue: 'too-costly', advice: 'Ask for less in one request.' },
  SEARCH_TIMEOUT: { status: 503, issue: 'timeout', advice: 'Narrow the search, or try again later.' },
  UNKNOWN_VALUE_SET: {
    status: 404,
    issue: 'not-found',
    advice: 'Correct the URL, or store the value set in DEFAULT.',
  },
  UNKNOWN_CODE_SYSTEM: {
    status: 404,
    issue: 'not-found',
    advice: 'Correct the URL, or store the whole code system in DEFAULT.',
  },
  UNKNOWN_CODE: { status: 404, issue: 'not-found', advice: 'Correct the code or its system.' },
  INVALID_VALUE_SET: { status: 422, issue: 'invalid', advice: 'Correct the definition of the value set.' },
  TOO_COSTLY: {
    status: 422,
    issue: 'too-costly',
    advice: 'Narrow the value set, or ask whether a code is in it.',
  },
  UNKNOWN_PARTITION: {
    status: 404,
    issue: 'not-found',
    advice: 'Check the tenant, or create the partition.',
  },
  INVALID_PARTITION: { status: 400, issue: 'invalid', advice: 'Correct the partition name or id.' },
  PARTITION_EXISTS: { status: 409, issue: 'duplicate', advice: 'Use another partition name or id.' },
  PARTITION_NOT_EMPTY: {
    status: 409,
    issue: 'conflict',
    advice: 'Empty the partition first, or pass purge=true.',
  },
  PARTITION_MOVING: {
    status: 409,
    issue: 'conflict',
    advice: 'Wait until the partition has been moved.',
  },
  PARTITIONS_APART: {
    status: 422,
    issue: 'business-rule',
    advice: 'Send one transaction for each partition, or move them together (bulkhead partition move).',
  },
  HOME_OUTDATED: {
    status: 503,
    issue: 'transient',
    advice: 'Run bulkhead migrate, or start the version that the database was made for.',
  },
  PARTITION_REQUIRED_ONE: { status: 400, issue: 'invalid', advice: 'A write goes to exactly one partition.' },
  NOT_PARTITIONABLE: { status: 422, issue: 'business-rule', advice: 'Write this type to DEFAULT.' },
  PARTITION_NOT_DECIDED: {
    status: 500,
    issue: 'exception',
    advice: 'Register an interceptor that answers the pointcut that is named.',
  },
  TENANT_MALFORMED: { status: 400, issue: 'invalid', advice: 'Correct the tenant in the URL or header.' },
  TENANT_MISMATCH: {
    status: 400,
    issue: 'invalid',
    advice: 'Name the same tenant everywhere in one request.',
  },
  INVALID_CLIENT: { status: 422, issue: 'invalid', advice: 'Correct what is said of the client.' },
  CLIENT_EXISTS: {
    status: 409,
    issue: 'duplicate',
    advice: 'Use another client id, or remove the client first.',
  },
  UNKNOWN_CLIENT: { status: 404, issue: 'not-found', advice: 'Check the client id and the partition.' },
  LOGIN_REQUIRED: { status: 401, issue: 'login', advice: 'Send a valid bearer token.' },
  FORBIDDEN: { status: 403, issue: 'forbidden', advice: 'Ask the administrator for access.' },
  NOT_SUPPORTED: { status: 400, issue: 'not-supported', advice: 'Leave this out of the request.' },
  TOO_MANY_REQUESTS: {
    status: 429,
    issue: 'throttled',
    advice: 'Try again after the time in Retry-After.',
  },
  QUOTA_EXCEEDED: {
    status: 429,
    issue: 'business-rule',
    advice: 'Delete what is not needed, or ask the administrator for more room.',
  },
  EXPORT_FAILED: {
    status: 500,
    issue: 'exception',
    advice: 'Start the export again; if it fails again, tell the administrator its id.',
  },
  BUSY: { status: 503, issue: 'transient', advice: 'Try again after the time in Retry-After.' },
  AUDIT_UNAVAILABLE: {
    status: 503,
    issue: 'transient',
    advice: 'Try again later; nothing is answered that cannot be recorded.',
  },
  OUTCOME_UNKNOWN: {
    status: 504,
    issue: 'timeout',
    advice: 'Read the resource to see whether the change was made before you repeat it.',
  },
  INTERNAL: { status: 500, issue: 'exception', advice: 'Tell the administrator the request id.' },
} as const satisfies Record<string, { status: number; issue: string; advice: string }>;

/** A stable error code. */
export type ErrorCode = keyof typeof ERROR_CATALOGUE;

/** System of `OperationOutcome.issue.details.coding`. */
export const ERROR_SYSTEM = 'urn:bulkhead:error';

/** What a FhirError may carry besides its message. */
export interface FhirErrorOptions {
  /** FHIRPath-like locations of what is wrong, for example `Patient.name[0].family`. */
  readonly expression?: readonly string[];
  /** The parameter of the request that is wrong, with its modifier: `name:exact`. */
  readonly parameter?: string;
  /** Several findings instead of one: they become the outcome's issues as they are. */
  readonly issues?: readonly OutcomeIssue[];
  /** Another HTTP status than the catalogue's. */
  readonly status?: number;
  /** Response headers, for example `Allow` or `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/**
 * The one error that is meant for a client. Its message says what is wrong and where, without anything of
 * another partition, of SQL or of file names. Anything else that is thrown becomes INTERNAL.
 */
export class FhirError extends Error {
  override readonly name = 'FhirError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly options: FhirErrorOptions;

  constructor(code: ErrorCode, message: string, options: FhirErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status ?? ERROR_CATALOGUE[code].status;
    this.options = options;
  }

  /** The error as an OperationOutcome. */
  toOutcome(): OperationOutcome {
    return { resourceType: 'OperationOutcome', issue: this.options.issues ?? [this.toIssue()] };
  }

  /** Where in the request it is wrong, as R4 writes it: https://hl7.org/fhir/R4/operationoutcome.html */
  get location(): readonly string[] {
    const { parameter } = this.options;
    return parameter === undefined ? [] : [`http.${parameter}`];
  }

  private toIssue(): OutcomeIssue {
    const { issue, advice } = ERROR_CATALOGUE[this.code];
    return {
      severity: 'error',
      code: issue,
      details: { coding: [{ system: ERROR_SYSTEM, code: this.code }], text: advice },
      diagnostics: this.message,
      ...(this.location.length > 0 ? { location: this.location } : {}),
      ...(this.options.expression ? { expression: this.options.expression } : {}),
    };
  }
}
