import { setTimeout as pause } from 'node:timers/promises';

/** How long a client waits for a server that was gone. */
const RETRY_MS = 25;

/** A request as a campaign sends it. */
export interface RequestOptions {
  readonly body?: object;
  readonly content?: Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Every other answer is an error. */
  readonly status?: number;
}

/** What came back, and how long it took in milliseconds. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly ms: number;
}

/** `path` may be a whole URL. @throws Error for another status than the one that is asked for */
export async function request(
  base: string,
  method: string,
  path: string,
  { body, content, headers, status }: RequestOptions = {},
): Promise<Answered> {
  const url = path.startsWith('http') ? path : [base, path].filter(Boolean).join('/');
  const began = performance.now();
  const sent = content ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/fhir+json', ...headers },
    ...(sent === undefined ? {} : { body: sent }),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const ms = performance.now() - began;
  if (status !== undefined && response.status !== status) {
    throw new Error(`${method} ${url}: ${response.status} ${bytes.toString().slice(0, 500)}`);
  }
  return { status: response.status, headers: response.headers, bytes, ms };
}

/** The resource that a GET answers. @throws Error unless it is 200 */
export async function get<Body>(base: string, path: string): Promise<Body> {
  const { bytes } = await request(base, 'GET', path, { status: 200 });
  return JSON.parse(bytes.toString()) as Body;
}

/** The answer; undefined, after a moment, where the server was gone. */
export async function attempt(send: () => Promise<Answered>): Promise<Answered | undefined> {
  try {
    return await send();
  } catch (error) {
    // What fetch throws where there is no answer.
    if (!(error instanceof TypeError)) throw error;
    await pause(RETRY_MS);
    return undefined;
  }
}
