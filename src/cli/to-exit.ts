import { ERROR_CATALOGUE, FhirError } from '../model/errors.js';
import { SettingsError } from '../settings/error.js';
import { CommandError, InterruptedError } from './command-error.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import type { Terminal } from './terminal.js';

/** Tells the person what went wrong, and answers the exit code. Only what nobody foresaw has a stack, with `DEBUG`. */
export function toExit(error: unknown, { env, complain }: Terminal): ExitCode {
  if (error instanceof SettingsError) {
    complain(error.message);
    return EXIT.usage;
  }
  if (error instanceof InterruptedError) {
    complain(error.message);
    return EXIT.interrupted;
  }
  if (error instanceof FhirError) complain(`error: ${error.message} ${ERROR_CATALOGUE[error.code].advice}`);
  else if (error instanceof CommandError) complain(`error: ${error.message}`);
  else complain(`error: ${unforeseen(error, env['DEBUG'] !== undefined)}`);
  return EXIT.failed;
}

function unforeseen(error: unknown, withStack: boolean): string {
  if (!(error instanceof Error)) return String(error);
  return withStack ? (error.stack ?? error.message) : error.message;
}
