import { setTimeout as pause } from 'node:timers/promises';
import { parseJson, stringifyJson } from '../../fhir/json.js';
import type { Bundle } from '../../model/resource.js';
import { withoutEndSlashes } from '../../settings/addresses.js';
import { CommandError } from '../command-error.js';
import type { LargeBinary } from './large-binary.js';
import { EMPTY_BATCH, type LoadTarget, type TargetAnswer, toAnswer, toSingleAnswer } from './target.js';
import { TRANSACTION_ENTRIES } from './unit.js';

/** Where a server is, and how it is spoken to. */
export interface HttpTargetOptions {
  /** FHIR base, for example `http://localhost:8080/fhir`. */
  readonly base: string;
  /** Appended to the base; undefined: the base is spoken to as it is. */
  readonly partition: string | undefined;
  /** `Name: value`, each. */
  readonly headers: readonly string[];
}

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 250;

/**
 * Loads over HTTP, into any FHIR server that takes the partition as the path segment after the base. What fails
 * for a moment (no connection, 429, 503) is tried again, which does no harm since everything sent is repeatable.
 * @throws CommandError for a base or header that cannot be.
 */
export function openHttpTarget({ base, partition, headers }: HttpTargetOptions): LoadTarget {
  const url = toBase(base) + (partition === undefined ? '' : `/${encodeURIComponent(partition)}`);
  const common = { ...toHeaders(headers), 'content-type': 'application/fhir+json', prefer: 'return=minimal' };
  return {
    transactionEntries: TRANSACTION_ENTRIES,
    probe: () => send(url, common, { bundle: EMPTY_BATCH, attempts: 1 }),
    send: (bundle) => send(url, common, { bundle, attempts: ATTEMPTS }),
    sendBinary: (binary) => sendBinary(url, common, binary),
    close: () => Promise.resolve(),
  };
}

async function send(
  url: string,
  headers: Readonly<Record<string, string>>,
  { bundle, attempts }: { readonly bundle: Bundle; readonly attempts: number },
): Promise<TargetAnswer> {
  const init = { method: 'POST', headers, body: stringifyJson(bundle) };
  return persist(() => request(url, init, toAnswer), attempts);
}

async function sendBinary(
  url: string,
  headers: Readonly<Record<string, string>>,
  { id, contentType, securityContext, content }: LargeBinary,
): Promise<TargetAnswer> {
  const context = securityContext === undefined ? {} : { 'x-security-context': securityContext };
  const init = {
    method: 'PUT',
    headers: { ...headers, ...context, 'content-type': contentType },
    body: new Uint8Array(content),
  };
  return persist(() => request(`${url}/Binary/${id}`, init, toSingleAnswer), ATTEMPTS);
}

async function persist(attempt: () => Promise<Attempt>, attempts: number): Promise<TargetAnswer> {
  for (let count = 1; ; count++) {
    const answer = await attempt();
    if (answer.kind === 'final') return answer.answer;
    if (count === attempts) return { ok: false, reason: answer.reason };
    await pause(FIRST_PAUSE_MS * 2 ** count);
  }
}

type Attempt =
  | { readonly kind: 'final'; readonly answer: TargetAnswer }
  | { readonly kind: 'again'; readonly reason: string };

async function request(
  url: string,
  init: RequestInit,
  toResult: (status: number, body: unknown) => TargetAnswer,
): Promise<Attempt> {
  try {
    const response = await fetch(url, init);
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (response.status === 429 || response.status === 503) {
      return { kind: 'again', reason: `${url} answered ${response.status}` };
    }
    return { kind: 'final', answer: toResult(response.status, parseAnswer(response, bytes)) };
  } catch (error) {
    return { kind: 'again', reason: `${url} cannot be reached: ${causeOf(error)}` };
  }
}

function parseAnswer(response: Response, bytes: Uint8Array): unknown {
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return isJson ? parseJson(bytes) : undefined;
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}

function toBase(text: string): string {
  if (!URL.canParse(text) || !/^https?:\/\//.test(text)) {
    throw new CommandError(`--url: ${JSON.stringify(text)} is not a URL such as http://localhost:8080/fhir.`);
  }
  return withoutEndSlashes(text);
}

function toHeaders(headers: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    headers.map((header) => {
      const [, name, value] = /^([^:\s]+):(.+)$/.exec(header) ?? [];
      if (name === undefined || value === undefined) {
        throw new CommandError(`--header: ${JSON.stringify(header)} is not of the form "Name: value".`);
      }
      return [name.toLowerCase(), value.trim()];
    }),
  );
}
