import { nearestName } from './model/nearest-name.js';
import { authenticationContradictions } from './settings/authentication-contradictions.js';
import { SettingsError } from './settings/error.js';
import type { Setting } from './settings/kinds.js';
import { exportContradictions } from './settings/export-output.js';
import { SETTING_NAMES, SETTINGS } from './settings/schema.js';
import type { SettingName, Settings } from './settings/schema.js';
import { fromEnvironment, fromFile, fromFlags, toEnvironmentName, toFlagName } from './settings/sources.js';
import type { Given, SettingsInput } from './settings/sources.js';

/** Settings, and where each value came from: `default`, `BULKHEAD_PORT`, `--port`, `"port" in FILE`. */
export interface LoadedSettings {
  readonly settings: Settings;
  readonly sources: Readonly<Record<SettingName, string>>;
}

/**
 * Reads every setting: a flag beats the environment, that the config file, that the default.
 * @throws SettingsError that lists every unknown name and every bad value.
 */
export async function loadSettings(input: SettingsInput): Promise<LoadedSettings> {
  const given = [await fromFile(input), fromEnvironment(input), fromFlags(input)].flat();
  const { values, sources, problems } = readAll(given);
  const settings = withDefaults(values);
  problems.push(...contradictions(settings));
  if (problems.length > 0) throw new SettingsError(problems);
  return { settings, sources: { ...everyName('default'), ...sources } };
}

/**
 * The settings of a server that nobody has configured, with `changes`: for tests and embedding.
 * @throws SettingsError that lists every bad value.
 */
export function defaultSettings(changes: Partial<Settings> = {}): Settings {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  const { values, problems } = readAll(given.map(([name, value]) => ({ name, value, place: name })));
  if (problems.length > 0) throw new SettingsError(problems);
  return withDefaults(values);
}

/**
 * The URL of the API without a tenant: `http://localhost:8080/fhir`. `port` is the one that is listened on,
 * which differs from the setting where that is 0.
 */
export function serverBaseOf(settings: Settings, port: number): string {
  if (settings.publicUrl !== undefined) return settings.publicUrl + settings.basePath;
  const { host } = settings;
  const reachable = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}${settings.basePath}`;
}

/** What was given, checked and brought into one form; of one name the last. */
function readAll(given: readonly Given[]) {
  const values: Partial<Record<SettingName, unknown>> = {};
  const sources: Partial<Record<SettingName, string>> = {};
  const problems: string[] = [];
  for (const one of given) {
    const read = readGiven(one);
    if ('problem' in read) problems.push(read.problem);
    else [values[read.name], sources[read.name]] = [read.value, one.place];
  }
  return { values, sources, problems };
}

type Read = { readonly name: SettingName; readonly value: unknown } | { readonly problem: string };

function readGiven({ name, value, place }: Given): Read {
  if (!isSettingName(name))
    return { problem: `${place}: there is no such setting.${suggestion(name, place)}` };
  const { type, values, secret, explain }: Setting<unknown> = SETTINGS[name];
  const parsed = type.safeParse(value);
  if (parsed.success) return { name, value: parsed.data };
  const found = secret ? 'this value' : JSON.stringify(value);
  return {
    problem: `${place}: ${explain?.(value) ?? `${found} is not allowed`}; expected ${values.replaceAll('`', '"')}`,
  };
}

function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

function suggestion(name: string, place: string): string {
  const nearest = nearestName(name, SETTING_NAMES);
  if (nearest === undefined) return '';
  if (place.startsWith('--')) return ` Did you mean ${toFlagName(nearest)}?`;
  return ` Did you mean ${place.startsWith('"') ? `"${nearest}"` : toEnvironmentName(nearest)}?`;
}

function withDefaults(values: Partial<Record<SettingName, unknown>>): Settings {
  const defaults = SETTING_NAMES.map((name) => [name, SETTINGS[name].default]);
  return Object.freeze({ ...Object.fromEntries(defaults), ...values }) as Settings;
}

function everyName(source: string): Record<SettingName, string> {
  return Object.fromEntries(SETTING_NAMES.map((name) => [name, source])) as Record<SettingName, string>;
}

function contradictions(settings: Settings): readonly string[] {
  const problems: string[] = [];
  if (settings.defaultPageSize > settings.maxPageSize) {
    problems.push(
      `${toEnvironmentName('defaultPageSize')}: greater than maxPageSize (${settings.maxPageSize})`,
    );
  }
  const others = [...authenticationContradictions(settings), ...exportContradictions(settings)];
  return [...problems, ...others.map(([name, problem]) => `${toEnvironmentName(name)}: ${problem}`)];
}
