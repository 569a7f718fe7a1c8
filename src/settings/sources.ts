import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SettingsError } from './error.js';

/** A value before it is checked, and where it stands: `BULKHEAD_PORT`, `--port`, `port in bulkhead.config.json`. */
export interface Given {
  readonly name: string;
  readonly value: unknown;
  readonly place: string;
}

/** Where settings are read from. */
export interface SettingsInput {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Command-line flags by setting name (`maxPageSize` for `--max-page-size`), and `config`: a file's path. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** The folder that relative paths, and the config file, are in. */
  readonly cwd: string;
}

const PREFIX = 'BULKHEAD_';
/** These tell the project's own tests what to run on, and are no settings of a server that a test starts. */
const TEST_PREFIX = 'BULKHEAD_TEST_';
const CONFIG_FILES = ['bulkhead.config.json', 'bulkhead.config.mjs'] as const;

/** `maxPageSize` to `BULKHEAD_MAX_PAGE_SIZE`. */
export function toEnvironmentName(name: string): string {
  return PREFIX + name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** `maxPageSize` to `--max-page-size`. */
export function toFlagName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The flags that were given. */
export function fromFlags({ flags }: SettingsInput): readonly Given[] {
  return Object.entries(flags)
    .filter(([name, value]) => name !== 'config' && value !== undefined)
    .map(([name, value]) => ({ name, value, place: toFlagName(name) }));
}

/** The `BULKHEAD_` variables that are set; an empty one counts as not set. */
export function fromEnvironment({ env }: SettingsInput): readonly Given[] {
  return Object.entries(env)
    .filter(([name, value]) => isSetting(name) && value)
    .map(([name, value]) => ({ name: toSettingName(name), value, place: name }));
}

/**
 * The keys of the config file, if there is one.
 * @throws SettingsError if it cannot be read, or there are two.
 */
export async function fromFile(input: SettingsInput): Promise<readonly Given[]> {
  const file = configFile(input);
  if (file === undefined) return [];
  const content = await readConfig(resolve(input.cwd, file), file);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new SettingsError([`${file}: expected an object of settings`]);
  }
  return Object.entries(content).map(([name, value]) => ({ name, value, place: `"${name}" in ${file}` }));
}

function isSetting(variable: string): boolean {
  if (!variable.startsWith(PREFIX) || variable.startsWith(TEST_PREFIX)) return false;
  return variable !== toEnvironmentName('config');
}

/** `BULKHEAD_MAX_PAGE_SIZE` to `maxPageSize`. */
function toSettingName(variable: string): string {
  return variable
    .slice(PREFIX.length)
    .toLowerCase()
    .replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function configFile({ env, flags, cwd }: SettingsInput): string | undefined {
  if (typeof flags.config === 'string') return flags.config;
  const named = env[toEnvironmentName('config')];
  if (named) return named;
  const found = CONFIG_FILES.filter((name) => existsSync(resolve(cwd, name)));
  if (found.length > 1) throw new SettingsError([`both ${found.join(' and ')} exist: keep one`]);
  return found[0];
}

async function readConfig(path: string, shown: string): Promise<unknown> {
  try {
    if (!/\.m?js$/.test(path)) return JSON.parse(await readFile(path, 'utf8'));
    const module = (await import(pathToFileURL(path).href)) as { readonly default?: unknown };
    return module.default;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SettingsError([`${shown}: cannot be read: ${reason}`], { cause: error });
  }
}
