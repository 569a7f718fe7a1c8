import { describeSettings } from '../settings/describe.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { type Flags, settingsOf } from './setting-flags.js';
import { formatTable } from './table.js';
import type { Terminal } from './terminal.js';

/** `bulkhead config`: every setting, its value and where that came from; secrets are masked. */
export async function printConfig(terminal: Terminal, flags: Flags): Promise<ExitCode> {
  const rows = describeSettings(await settingsOf(terminal, flags));
  const lines = formatTable(
    ['SETTING', 'VALUE', 'FROM'],
    rows.map(({ name, value, source }) => [name, value, source]),
  );
  lines.forEach(terminal.print);
  return EXIT.ok;
}
