#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { runCommand } from './program.js';
import { processTerminal } from './terminal.js';
import { toExit } from './to-exit.js';

enableCompileCache();

const terminal = processTerminal();
const exit = await runCommand(process.argv.slice(2), terminal).catch((error: unknown) =>
  toExit(error, terminal),
);
// What was printed has to be out before the process ends, and nothing idle may hold it up.
process.stdout.write('', () => process.exit(exit));
