import type { LoadedSettings } from '../settings.js';
import type { Setting } from './kinds.js';
import { SETTING_NAMES, SETTINGS } from './schema.js';
import type { SettingName } from './schema.js';
import { toEnvironmentName } from './sources.js';

/** One setting for people. */
export interface SettingRow {
  readonly name: SettingName;
  readonly env: string;
  /** As it would be written in the environment; secrets are masked, and what is not set is empty. */
  readonly value: string;
  /** `default`, or where the value stands. */
  readonly source: string;
  readonly description: string;
}

/** Every setting with its value and where that came from, for `bulkhead config`. */
export function describeSettings({ settings, sources }: LoadedSettings): readonly SettingRow[] {
  return SETTING_NAMES.map((name) => ({
    name,
    env: toEnvironmentName(name),
    value: toShown(name, settings[name]),
    source: sources[name],
    description: SETTINGS[name].description,
  }));
}

/** The table of `docs/settings.md`. */
export function settingsTable(): string {
  const rows = SETTING_NAMES.map((name) => {
    const { values, description, default: value }: Setting<unknown> = SETTINGS[name];
    const shown = toShown(name, value);
    return `| \`${name}\` | \`${toEnvironmentName(name)}\` | ${values} | ${shown && `\`${shown}\``} | ${description} |`;
  });
  const head = ['| setting | environment | values | default | meaning |', '| --- | --- | --- | --- | --- |'];
  return [...head, ...rows].join('\n');
}

/** Between the user and the host of a URL, or among its parameters. */
const PASSWORD = /^([^/]*\/\/[^/:@]*:).*@/s;
const PASSWORD_PARAMETERS = /([?&](?:ssl)?password=)[^&]*/g;

/** A database's URL as people may see it: without its password. */
export function maskedUrl(url: string): string {
  return url.replace(PASSWORD, '$1********@').replaceAll(PASSWORD_PARAMETERS, '$1********');
}

function toShown(name: SettingName, value: unknown): string {
  if (value === undefined) return '';
  if (SETTINGS[name].secret) return '********';
  if (name === 'basePath' && value === '') return '/';
  if (name === 'databaseUrl') return maskedUrl(String(value));
  if (!Array.isArray(value)) return String(value);
  return value.some((item) => typeof item === 'object') ? JSON.stringify(value) : value.join(',');
}
