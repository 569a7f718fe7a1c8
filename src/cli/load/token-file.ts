import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CommandError } from '../command-error.js';
import type { Terminal } from '../terminal.js';

/**
 * The header with the bearer token that a file holds: every user of a machine sees the flags of a command.
 * @throws CommandError for a file that cannot be read
 */
export async function bearerTokenFrom(terminal: Pick<Terminal, 'cwd'>, path: string): Promise<string> {
  return `Authorization: Bearer ${await readTokenFile(terminal, path)}`;
}

/**
 * The token alone.
 * @throws CommandError for a file that cannot be read
 */
export async function readTokenFile(terminal: Pick<Terminal, 'cwd'>, path: string): Promise<string> {
  const text = await readFile(resolve(terminal.cwd, path), 'utf8').catch((cause: unknown) => {
    throw new CommandError(`--token-file: ${path} cannot be read.`, { cause });
  });
  return text.trim();
}
