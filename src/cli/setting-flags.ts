import { type Command, Option } from 'commander';
import { nearestName } from '../model/nearest-name.js';
import { type LoadedSettings, loadSettings } from '../settings.js';
import type { Setting } from '../settings/kinds.js';
import { SETTING_NAMES, SETTINGS } from '../settings/schema.js';
import { toFlagName } from '../settings/sources.js';
import type { Terminal } from './terminal.js';

/** Values of a command's flags by camel-case name, as commander gives them. */
export type Flags = Readonly<Record<string, unknown>>;

/** Gives the command one flag for each setting, shown in its help. */
export function addSettingFlags(command: Command): Command {
  for (const option of settingOptions()) command.addOption(option);
  return command;
}

/** The same flags for commands to which few of them matter: they are allowed, but only the database is in the help. */
export function addQuietSettingFlags(command: Command): Command {
  for (const option of settingOptions()) {
    command.addOption(SHOWN.has(option.attributeName()) ? option : option.hideHelp());
  }
  return command.addHelpText('after', '\nEvery setting is a flag here too; see `bulkhead serve --help`.');
}

/**
 * The settings that flags, environment and config file add up to. Flags that are a command's own are left out.
 * @throws SettingsError
 */
export function settingsOf(terminal: Terminal, flags: Flags): Promise<LoadedSettings> {
  const known = Object.entries(flags).filter(([name]) => name === 'config' || Object.hasOwn(SETTINGS, name));
  return loadSettings({ env: terminal.env, cwd: terminal.cwd, flags: Object.fromEntries(known) });
}

/** The nearest flag of a setting to one that does not exist, both with their dashes. */
export function nearestFlag(flag: string): string | undefined {
  return nearestName(flag, SETTING_NAMES.map(toFlagName));
}

const SHOWN: ReadonlySet<string> = new Set(['config', 'databaseUrl']);

function settingOptions(): readonly Option[] {
  const config = new Option('--config <file>', 'Settings file; bulkhead.config.json or .mjs if left out.');
  return [config, ...SETTING_NAMES.map((name) => settingOption(toFlagName(name), SETTINGS[name]))];
}

function settingOption(flag: string, { default: value, description, values }: Setting<unknown>): Option {
  const expects = typeof value === 'boolean' ? '[true|false]' : '<value>';
  return new Option(`${flag} ${expects}`, `${description} (${values.replaceAll('`', '')})`);
}
