/** What a request carries besides its URL. */
export interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as FHIR JSON, a text as it is. */
  readonly body?: object | string;
}

/** The FHIR bases of the two tenants, for what names them in full. */
export interface Places {
  readonly own: string;
  readonly theirs: string;
}

/** A request under one's own tenant that names an id which only another tenant has. */
export interface Attack {
  /** The number that it has in `docs/attacks.md`. */
  readonly number: number;
  readonly name: string;
  readonly method: string;
  /** Below the tenant's base, without a slash in front. */
  readonly path: (id: string) => string;
  readonly sent?: (id: string, places: Places) => Sent;
}
