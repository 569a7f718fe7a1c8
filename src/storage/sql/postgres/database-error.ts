import pg from 'pg';
import { FhirError } from '../../../model/errors.js';
import { failedStatement } from './pipeline.js';
import type { PgStatement } from './statement.js';

/** What may be done after a statement or pipeline has failed. */
export type Failure =
  /** The transaction was rolled back for reasons that lie in the moment: deadlock, serialization. */
  | 'again'
  /** Nothing was sent, or the server said that it ends: the transaction was rolled back, the connection is gone. */
  | 'unavailable'
  /** The connection broke without an answer: the transaction may have been committed. */
  | 'lost'
  /** A prepared statement was not there, or there already: a pooler stands in between. */
  | 'pooled'
  /** A plan or statement that no longer fits the schema: another connection will do. */
  | 'stale'
  /** Everything else: the error says what it is. */
  | 'refused';

const BY_CODE: ReadonlyMap<string, Failure> = new Map<string, Failure>([
  ['40001', 'again'],
  ['40P01', 'again'],
  ['26000', 'pooled'],
  ['42P05', 'pooled'],
  ['0A000', 'stale'],
  // A server that was a primary: after a failover it refuses writes until the connection is made anew.
  ['25006', 'unavailable'],
  ['53300', 'unavailable'],
  ['57P01', 'unavailable'],
  ['57P02', 'unavailable'],
  ['57P03', 'unavailable'],
  ['57P05', 'unavailable'],
]);

/** Thrown by `bulkhead_refuse` in the database: what a write found. `detail` lists ordinals. */
const REFUSED = 'BH001';

/** No connection could be had, or it broke before anything was sent or before the commit was: nothing has changed. */
export class NotConnected extends Error {
  override readonly name = 'NotConnected';
}

/** The connection broke before the answer came. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
export function failureOf(error: unknown): Failure {
  if (error instanceof pg.DatabaseError) return BY_CODE.get(error.code ?? '') ?? 'refused';
  if (error instanceof NotConnected) return 'unavailable';
  return error instanceof ConnectionLost ? 'lost' : 'refused';
}

/** What a write found in its way: the statement says so, and which of its changes or references it means. */
export interface Refusal {
  readonly kind: string;
  /** From 1. */
  readonly ordinals: readonly number[];
  readonly statement: PgStatement | undefined;
}

/** Undefined for every other error. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof pg.DatabaseError) || error.code !== REFUSED) return undefined;
  const ordinals = (error.detail ?? '').split(',').filter(Boolean).map(Number);
  return { kind: error.message, ordinals, statement: failedStatement(error) };
}

/** The error that a client is told: nothing of SQL, and what it may do. Errors that are no one's fault stay what they are. */
export function toClientError(error: unknown, purpose: 'read' | 'write'): unknown {
  if (error instanceof FhirError) return error;
  const failure = failureOf(error);
  if (failure === 'lost' && purpose === 'write') return unknownOutcome(error);
  if (failure === 'again') return busy('The change came into conflict with others.', error);
  if (failure !== 'refused') return busy('The database cannot be reached.', error);
  if (!(error instanceof pg.DatabaseError)) return error;
  switch (error.code) {
    case '57014':
      return new FhirError('SEARCH_TIMEOUT', 'The statement took longer than allowed.', {
        cause: error,
        headers: { 'Retry-After': '5' },
      });
    case '55P03':
      return busy('Another change of the same partition takes long.', error);
    case '22021':
      return new FhirError('INVALID_REQUEST', 'A text holds a character that cannot be stored.', {
        cause: error,
      });
    case '53100':
    case '53200':
      return busy('The database has no room left.', error);
    default:
      return error;
  }
}

function unknownOutcome(cause: unknown): FhirError {
  return new FhirError(
    'OUTCOME_UNKNOWN',
    'The connection to the database broke while the change was being committed: it may or may not have been made.',
    { cause },
  );
}

function busy(message: string, cause: unknown): FhirError {
  return new FhirError('BUSY', message, { cause, headers: { 'Retry-After': '1' } });
}
