import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { type Heard, headerOf } from './heard.js';
import { IsolationError } from './isolation-error.js';

/** A request as it goes out. */
export interface Asked {
  readonly method: string;
  /** Path and query as they stand in the request line, or a whole URL of the same server. */
  readonly target: string;
  /** A list sends the header several times. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** An object is sent as FHIR JSON, a text as it is. */
  readonly body?: object | string;
}

/** An answer that was read to its end. */
export interface Answer extends Heard {
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** It ended while it waited for its next request, which then never arrived. */
class StaleConnection extends IsolationError {}

const TIMEOUT_MS = 60_000;
const MOST_BYTES = 64 * 1024 * 1024;
const ATTEMPTS = 6;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Speaks to one server by connections that stay open. Paths go out letter by letter: `fetch` would tidy up `%2e%2e`
 * before it leaves. What is refused for its rate (429, or 503 with Retry-After) is asked again.
 */
export class Connection {
  private readonly agent: HttpAgent;

  constructor(private readonly origin: URL) {
    this.agent = isSecure(origin) ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  }

  /** @throws IsolationError where no whole answer comes */
  async ask(asked: Asked): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.exchange(asked).catch((error: unknown) => {
        if (error instanceof StaleConnection) return this.exchange(asked);
        throw error;
      });
      const wait = attempt < ATTEMPTS ? pauseAfter(answer) : undefined;
      if (wait === undefined) return answer;
      await pause(wait);
    }
  }

  close(): void {
    this.agent.destroy();
  }

  private exchange({ method, target, headers = {}, body }: Asked): Promise<Answer> {
    const { origin, agent } = this;
    const sent = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const length = sent === undefined ? {} : { 'content-length': String(Buffer.byteLength(sent)) };
    const type = typeof body === 'object' ? { 'content-type': 'application/fhir+json' } : {};
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const fail = (cause: Error): void =>
      reject(new IsolationError(`${origin.origin} gave no answer to ${method} ${target}: ${cause.message}`));
    const outgoing = (isSecure(origin) ? httpsRequest : httpRequest)(
      {
        method,
        host: origin.hostname.replace(/^\[(.*)\]$/, '$1'),
        port: origin.port,
        path: pathOf(target, origin),
        headers: { ...type, ...length, ...unlisted(headers) },
        agent,
        timeout: TIMEOUT_MS,
      },
      (response) => void readAnswer(response).then(resolve, fail),
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('it took too long')));
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (outgoing.reusedSocket && error.code === 'ECONNRESET')
        reject(new StaleConnection(`${origin.origin} ends connections that are in use`));
      else fail(error);
    });
    outgoing.end(sent);
    return promise;
  }
}

function isSecure({ protocol }: URL): boolean {
  return protocol === 'https:';
}

/** @throws IsolationError for a URL of another server, which would be shown the credentials of this one */
function pathOf(target: string, { origin }: URL): string {
  if (target.startsWith('/')) return target;
  if (target.startsWith(`${origin}/`)) return target.slice(origin.length);
  throw new IsolationError(`The server leads to ${target.slice(0, 200)}, which is not below ${origin}.`);
}

function unlisted(
  headers: Readonly<Record<string, string | readonly string[]>>,
): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  );
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new Error('the answer is too large');
    chunks.push(chunk);
  }
  const headers = Object.entries(response.headersDistinct).flatMap(([name, values = []]) =>
    values.map((value) => [name, value] as const),
  );
  return { status: response.statusCode ?? 0, headers, text: Buffer.concat(chunks).toString('utf8') };
}

function pauseAfter(answer: Answer): number | undefined {
  if (answer.status !== 429 && answer.status !== 503) return undefined;
  const seconds = Number(headerOf(answer, 'retry-after') ?? (answer.status === 429 ? 1 : Number.NaN));
  return Number.isFinite(seconds) ? Math.min(seconds * 1000, LONGEST_PAUSE_MS) : undefined;
}
