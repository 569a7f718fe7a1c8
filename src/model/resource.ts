/** A FHIR resource as JSON. The server reads few elements by name; everything else is passed through. */
export interface Resource {
  readonly resourceType: string;
  readonly id?: string;
  readonly meta?: Meta;
  readonly [element: string]: unknown;
}

/** https://hl7.org/fhir/R4/resource.html#Meta */
export interface Meta {
  readonly versionId?: string;
  readonly lastUpdated?: string;
  readonly source?: string;
  readonly profile?: readonly string[];
  readonly security?: readonly Coding[];
  readonly tag?: readonly Coding[];
  readonly [element: string]: unknown;
}

/** https://hl7.org/fhir/R4/datatypes.html#Coding */
export interface Coding {
  readonly system?: string;
  readonly version?: string;
  readonly code?: string;
  readonly display?: string;
  readonly [element: string]: unknown;
}

/** https://hl7.org/fhir/R4/bundle.html */
export interface Bundle extends Resource {
  readonly resourceType: 'Bundle';
  readonly type: string;
  readonly entry?: readonly BundleEntry[];
}

/** One entry of a Bundle, as a client may send it: nothing of it is trusted. */
export interface BundleEntry {
  readonly fullUrl?: string;
  readonly resource?: Resource;
  readonly request?: {
    readonly method: string;
    readonly url: string;
    readonly ifNoneMatch?: string;
    readonly ifModifiedSince?: string;
    readonly ifMatch?: string;
    readonly ifNoneExist?: string;
  };
  readonly [element: string]: unknown;
}

/** https://hl7.org/fhir/R4/operationoutcome.html */
export interface OperationOutcome extends Resource {
  readonly resourceType: 'OperationOutcome';
  readonly issue: readonly OutcomeIssue[];
}

/** One issue of an OperationOutcome. `code` is from http://hl7.org/fhir/issue-type. */
export interface OutcomeIssue {
  readonly severity: 'fatal' | 'error' | 'warning' | 'information';
  readonly code: string;
  readonly details?: { readonly coding?: readonly Coding[]; readonly text?: string };
  readonly diagnostics?: string;
  /** `http.` and the name of a parameter of the request. */
  readonly location?: readonly string[];
  readonly expression?: readonly string[];
}
