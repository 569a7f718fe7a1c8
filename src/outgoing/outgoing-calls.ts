import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { AddressPolicy } from './address-policy.js';
import { OutgoingError } from './outgoing-error.js';

/** What is sent. */
export interface OutgoingRequest {
  /** Absolute, `https` unless the place is allowed. */
  readonly url: string;
  /** POST where there is a body. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What came back: any status but a redirect. */
export interface OutgoingAnswer {
  readonly status: number;
  readonly text: string;
}

/** The addresses that a name stands for. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/** Whom may be called, and what a call may cost. */
export interface OutgoingOptions {
  /** Host names, addresses and networks that may be called although they are private; see `outgoingAllow`. */
  readonly allow: readonly string[];
  /** Origins (`http://127.0.0.1:9000`) that the operator has written down himself, and that are called as they are. */
  readonly origins?: readonly string[];
  /** The system's resolver if left out. */
  readonly resolve?: Resolve;
  /** For everything from the name to the last byte; 5 seconds if left out. */
  readonly timeoutMs?: number;
  /** Of the answer; 1 MiB if left out. */
  readonly maxBytes?: number;
}

interface Destination {
  readonly url: URL;
  readonly addresses: readonly LookupAddress[];
}

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 2 ** 20;
/** Of the Internet's servers; what listens elsewhere speaks something else, or has to be allowed. */
const PORTS: ReadonlySet<string> = new Set(['', '80', '443', '8080', '8443']);

/**
 * The one way in which the server calls others. Names are resolved once, every address is judged, and the connection
 * goes to what was judged: an answer of DNS that changes in between changes nothing. No redirect is followed.
 */
export class OutgoingCalls {
  private readonly policy: AddressPolicy;
  private readonly origins: ReadonlySet<string>;

  constructor(private readonly options: OutgoingOptions) {
    this.policy = new AddressPolicy(options.allow);
    this.origins = new Set(options.origins);
  }

  /** @throws OutgoingError for whom may not be called, and for who does not answer in time or too much. */
  async call(request: OutgoingRequest): Promise<OutgoingAnswer> {
    const signal = AbortSignal.timeout(this.options.timeoutMs ?? TIMEOUT_MS);
    const url = parseUrl(request.url);
    try {
      const addresses = await within(signal, this.addressesOf(hostOf(url)));
      this.judge({ url, addresses });
      const answer = await exchange({ url, addresses }, request, signal);
      const text = await this.read(answer);
      const status = answer.statusCode ?? 0;
      if (status >= 300 && status < 400) throw refused(url, 'it redirects, which is not followed');
      return { status, text };
    } catch (cause) {
      if (cause instanceof OutgoingError) throw cause;
      throw new OutgoingError('failed', `${url.origin} cannot be reached: ${String(cause)}`, { cause });
    }
  }

  private async addressesOf(host: string): Promise<readonly LookupAddress[]> {
    const family = isIP(host);
    if (family !== 0) return [{ address: host, family }];
    const { resolve = resolveAll } = this.options;
    const addresses = await resolve(host);
    if (addresses.length === 0) throw new Error('the name has no address');
    return addresses;
  }

  private judge({ url, addresses }: Destination): void {
    if (this.isAllowed({ url, addresses })) return;
    if (url.protocol !== 'https:') throw refused(url, 'it would be called by plain HTTP');
    if (!PORTS.has(url.port)) throw refused(url, 'its port is unusual');
    const isOpen = ({ address }: LookupAddress): boolean =>
      this.policy.isPublic(address) || this.policy.isAllowedAddress(address);
    if (!addresses.every(isOpen)) throw refused(url, 'its address is private');
  }

  private isAllowed({ url, addresses }: Destination): boolean {
    return (
      this.origins.has(url.origin) ||
      this.policy.isAllowedHost(url.hostname) ||
      addresses.every(({ address }) => this.policy.isAllowedAddress(address))
    );
  }

  private async read(answer: IncomingMessage): Promise<string> {
    const { maxBytes = MAX_BYTES } = this.options;
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, size).toString('utf8');
  }
}

/** @throws OutgoingError for what is no web address, or hides what it means. */
function parseUrl(text: string): URL {
  if (!URL.canParse(text)) throw new OutgoingError('refused', 'This is no URL that could be called.');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refused(url, 'it is no web address');
  if (url.username !== '' || url.password !== '') throw refused(url, 'it has a user');
  // 0177.0.0.1 and 2130706433 are 127.0.0.1 to some and names to others.
  const isPlain = text.toLowerCase().startsWith(`${url.protocol}//${url.hostname}`);
  if (isIP(hostOf(url)) !== 0 && !isPlain) throw refused(url, 'its address is not written in the usual form');
  return url;
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function refused(url: URL, why: string): OutgoingError {
  return new OutgoingError('refused', `${url.protocol}//${url.host} is not called: ${why}.`);
}

function resolveAll(host: string): Promise<readonly LookupAddress[]> {
  return lookup(host, { all: true });
}

/** The system's resolver cannot be told to stop. */
function within<Value>(signal: AbortSignal, work: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    work.then(resolve, reject);
  });
}

function exchange(
  { url, addresses }: Destination,
  { body, headers }: OutgoingRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const options = {
    method: body === undefined ? 'GET' : 'POST',
    headers: { accept: 'application/json', ...headers, ...length },
    signal,
    lookup: pinned(addresses),
    // A connection that is kept would be used for what was judged at another time.
    agent: false as const,
  };
  return new Promise((resolve, reject) => {
    send(url, options, resolve).on('error', reject).end(body);
  });
}

/** Answers what was judged, whatever the name would be resolved to now. */
function pinned(addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, options, answer) => {
    const [first] = addresses;
    if (options.all) answer(null, [...addresses]);
    else answer(null, first?.address ?? '', first?.family ?? 4);
  };
}
