import pg from 'pg';
import { FhirError } from '../../../model/errors.js';
import { failedStatement } from './pipeline.js';
import type { PgStatement } from './statement.js';

/** What may be done after a statement or pipeline has failed. */
export type Failure =
  /** The transaction was rolled back for reasons that lie in the moment: deadlock, serialization. */
  | 'again'
  /** No connection could be had in time: nothing was sent, and nothing is gained by asking again at once. */
  | 'unreachable'
  /** Nothing was sent, or the server said that it ends: the transaction was rolled back, the connection is gone. */
  | 'unavailable'
  /** The connection broke without an answer: the transaction may have been committed. */
  | 'lost'
  /** No answer came in time, and the connection was given up: the transaction may be committed yet. */
  | 'overdue'
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
  // A transaction that nobody went on with: see prologue.ts.
  ['25P03', 'unavailable'],
  ['53300', 'unavailable'],
  ['57P01', 'unavailable'],
  ['57P02', 'unavailable'],
  ['57P03', 'unavailable'],
  ['57P05', 'unavailable'],
]);

const CONNECTION_CLASS = '08';
/** What PgBouncer says where no server has seen the statement. https://www.pgbouncer.org/config.html */
const NEVER_FORWARDED =
  /query_wait_timeout|cannot connect|login|no more connections|does not allow|paused|shut/i;
/** What PostgreSQL says of a statement that somebody else has prepared under the same name. */
const OTHER_STATEMENT = /^bind message/;

/** Thrown by `bulkhead_refuse` in the database: what a write found. `detail` lists ordinals. */
const REFUSED = 'BH001';

/** No connection could be had. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** The connection broke before anything was sent, or before the commit was: nothing has changed. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
}

/** The connection broke before the answer came. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

/** The answer did not come in time, and the connection was given up. */
export class AnswerOverdue extends Error {
  override readonly name = 'AnswerOverdue';
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
export function failureOf(error: unknown): Failure {
  if (error instanceof pg.DatabaseError) return failureOfServer(error);
  if (error instanceof Unreachable) return 'unreachable';
  if (error instanceof NotSent) return 'unavailable';
  if (error instanceof AnswerOverdue) return 'overdue';
  return error instanceof ConnectionLost ? 'lost' : 'refused';
}

function failureOfServer({ code = '', message }: pg.DatabaseError): Failure {
  const known = BY_CODE.get(code);
  if (known !== undefined) return known;
  if (!code.startsWith(CONNECTION_CLASS)) return 'refused';
  if (OTHER_STATEMENT.test(message)) return 'pooled';
  return NEVER_FORWARDED.test(message) ? 'unavailable' : 'lost';
}

/** Whether the connection is of no use any more. */
export function breaksConnection(failure: Failure): boolean {
  return failure === 'unavailable' || failure === 'lost' || failure === 'overdue' || failure === 'stale';
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
  switch (failureOf(error)) {
    case 'refused':
      return error instanceof pg.DatabaseError ? refused(error, purpose) : error;
    case 'again':
      return busy('The change came into conflict with others.', error);
    case 'lost':
    case 'overdue':
      return purpose === 'write' ? unknownOutcome(error) : busy('The database has not answered.', error);
    case 'unreachable':
    case 'unavailable':
    case 'pooled':
    case 'stale':
      return busy('The database cannot be reached.', error);
  }
}

function refused(error: pg.DatabaseError, purpose: 'read' | 'write'): unknown {
  switch (error.code) {
    case '57014':
      return purpose === 'write' ? busy('The change took longer than allowed.', error) : tooLong(error);
    case '55P03':
      return busy('Another change of the same partition takes long.', error);
    case '22021':
    case '22P05':
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

function tooLong(cause: unknown): FhirError {
  return new FhirError('SEARCH_TIMEOUT', 'The statement took longer than allowed.', {
    cause,
    headers: { 'Retry-After': '5' },
  });
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
