import type { ExecutionContext } from 'ava';
import type { Bundle, OperationOutcome, Patient } from 'fhir/r4.js';

/** What a request may carry. An object is sent as JSON; a string or bytes are sent as they are. */
export interface Sent {
  readonly body?: object | string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer, read to its end. `body` is undefined where nothing came; `json` fails where it is not JSON. */
export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Body;
}

export const FHIR_JSON = 'application/fhir+json';

/** A client of one base URL that knows nothing of the server but HTTP. */
export class FhirClient {
  constructor(readonly base: string) {}

  /** The same server under another tenant. */
  tenant(name: string): FhirClient {
    return new FhirClient(`${this.base}/${name}`);
  }

  async send<Body = OperationOutcome>(
    method: string,
    path: string,
    { body, headers }: Sent = {},
  ): Promise<Answer<Body>> {
    const url = path === '' ? this.base : /^https?:/.test(path) ? path : `${this.base}/${path}`;
    const isText = typeof body === 'string' || body instanceof Uint8Array;
    const response = await fetch(url, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': FHIR_JSON }), ...headers },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '') && text !== '';
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (isJson ? JSON.parse(text) : undefined) as Body,
    };
  }

  get<Body = OperationOutcome>(
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<Body>> {
    return this.send<Body>('GET', path, { headers });
  }

  post<Body = OperationOutcome>(
    path: string,
    body: Sent['body'],
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<Body>> {
    return this.send<Body>('POST', path, { ...(body === undefined ? {} : { body }), headers });
  }

  put<Body = OperationOutcome>(
    path: string,
    body: Sent['body'],
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<Body>> {
    return this.send<Body>('PUT', path, { ...(body === undefined ? {} : { body }), headers });
  }

  delete<Body = OperationOutcome>(
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<Body>> {
    return this.send<Body>('DELETE', path, { headers });
  }

  /** Creates a patient and gives it back as stored. */
  async createPatient(content: Omit<Patient, 'resourceType'> = {}): Promise<Patient & { id: string }> {
    const { status, body } = await this.post<Patient & { id: string }>('Patient', {
      resourceType: 'Patient',
      ...content,
    });
    if (status !== 201) throw new Error(`create answered ${status}`);
    return body;
  }

  /** How many resources a search finds. */
  async count(search: string): Promise<number> {
    const { status, body } = await this.get<Bundle>(
      `${search}${search.includes('?') ? '&' : '?'}_summary=count`,
    );
    if (status !== 200) throw new Error(`search answered ${status}`);
    return body.total ?? -1;
  }
}

/** The stable code of an error. */
export function codeOf({ body }: Answer<unknown>): string | undefined {
  return (body as OperationOutcome | undefined)?.issue?.[0]?.details?.coding?.[0]?.code;
}

/** An error with this status and code, as an OperationOutcome, with the headers that every response has. */
export function assertError(
  t: ExecutionContext,
  answer: Answer<unknown>,
  status: number,
  code: string,
): void {
  t.is(answer.status, status, answer.text.slice(0, 400));
  t.is((answer.body as OperationOutcome | undefined)?.resourceType, 'OperationOutcome');
  t.is(codeOf(answer), code, answer.text.slice(0, 400));
  t.truthy(answer.headers.get('x-request-id'));
}

/** A token search value without surprises, and different for each call. */
export function uniqueValue(): string {
  return crypto.randomUUID();
}
