import type { Bundle, OperationOutcome } from '../../model/resource.js';
import type { LargeBinary } from './large-binary.js';

/** Where resources are loaded to: a database, or a server over HTTP. */
export interface LoadTarget {
  /** Entries that one transaction may have, as far as is known. */
  readonly transactionEntries: number;
  /** Whether there is a server, and the partition: what an empty batch is answered with. */
  probe(): Promise<TargetAnswer>;
  /** Has a batch or transaction processed; failures of the whole are an answer too. */
  send(bundle: Bundle): Promise<TargetAnswer>;
  /** Writes a Binary by its content; the answer has one entry. */
  sendBinary(binary: LargeBinary): Promise<TargetAnswer>;
  close(): Promise<void>;
}

/** Asks for nothing, which every server grants that serves the partition. */
export const EMPTY_BATCH: Bundle = { resourceType: 'Bundle', type: 'batch', entry: [] };

/** An HTTP status with the response bundle, or with the reason why there is none. */
export type TargetAnswer =
  | { readonly ok: true; readonly entries: readonly AnsweredEntry[] }
  | { readonly ok: false; readonly reason: string };

/** One entry of a response bundle, as far as loading reads it. */
export interface AnsweredEntry {
  readonly resource?: unknown;
  readonly response?: { readonly status?: string; readonly outcome?: unknown };
}

/** The answer that a response's body amounts to. */
export function toAnswer(status: number, body: unknown): TargetAnswer {
  if (status >= 200 && status < 300) return { ok: true, entries: (body as Bundle).entry ?? [] };
  return { ok: false, reason: reasonOf(body) ?? `the server answered ${status}` };
}

/** The same for a response that is about one resource. */
export function toSingleAnswer(status: number, body: unknown): TargetAnswer {
  if (status >= 300) return toAnswer(status, body);
  return { ok: true, entries: [{ response: { status: String(status) } }] };
}

/** The number in `201 Created`. */
export function statusOf({ response }: AnsweredEntry): number {
  return Number.parseInt(response?.status ?? '', 10);
}

/** Why something failed: code and text of the first errors of an OperationOutcome. */
export function reasonOf(outcome: unknown): string | undefined {
  const { issue } = (outcome ?? {}) as Partial<OperationOutcome>;
  if (!Array.isArray(issue)) return undefined;
  const errors = (issue as OperationOutcome['issue']).filter(
    ({ severity }) => severity === 'error' || severity === 'fatal',
  );
  const texts = errors.map(({ code, details, diagnostics }) => {
    const named = details?.coding?.[0]?.code ?? code;
    return `${named}: ${diagnostics ?? details?.text ?? 'no details'}`;
  });
  const more = texts.length > MOST_REASONS ? ` (and ${texts.length - MOST_REASONS} more)` : '';
  return texts.length === 0 ? undefined : texts.slice(0, MOST_REASONS).join('; ') + more;
}

const MOST_REASONS = 3;
