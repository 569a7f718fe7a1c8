import { SettingsError } from '../settings/error.js';
import type { Settings } from '../settings/schema.js';
import type { Check } from './doctor/check.js';
import { checkDatabase } from './doctor/database.js';
import { checkExports } from './doctor/exports.js';
import { checkClock, checkInterceptors, checkNode, checkPort } from './doctor/machine.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { type Flags, settingsOf } from './setting-flags.js';
import type { Terminal } from './terminal.js';

/** `bulkhead doctor`: one line for each thing that is checked, and what to do about it. Changes nothing. */
export async function doctor(terminal: Terminal, flags: Flags): Promise<ExitCode> {
  const checks = [checkNode(), checkClock(Date.now()), ...(await checkConfigured(terminal, flags))];
  checks.forEach((check) => terminal.print(toLine(check)));
  const failed = checks.filter(({ state }) => state === 'fail').length;
  const warned = checks.filter(({ state }) => state === 'warn').length;
  terminal.print(`${checks.length} checks: ${failed} failed, ${warned} with a warning.`);
  return failed === 0 ? EXIT.ok : EXIT.failed;
}

async function checkConfigured(terminal: Terminal, flags: Flags): Promise<readonly Check[]> {
  let settings: Settings;
  try {
    ({ settings } = await settingsOf(terminal, flags));
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map((problem) => ({ name: 'settings', state: 'fail', found: problem }));
  }
  return [
    { name: 'settings', state: 'ok', found: 'all allowed' },
    ...(await checkDatabase(settings)),
    await checkExports(settings),
    await checkInterceptors(settings),
    await checkPort(settings),
  ];
}

function toLine({ name, state, found, advice }: Check): string {
  const line = `${state.padEnd(4)}  ${name.padEnd(12)}  ${found}`;
  return advice === undefined ? line : `${line}. ${advice}`;
}
