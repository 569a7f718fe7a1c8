import type { Settings } from './schema.js';

type Problem = readonly [keyof Settings, string];

/** What is wrong with the settings of authentication together, each as the name of a setting and words about it. */
export function authenticationContradictions(settings: Settings): readonly Problem[] {
  return settings.auth === 'on' ? whereOn(settings) : whereOff(settings);
}

function whereOff(settings: Settings): readonly Problem[] {
  if (!settings.partitioning.includes('token')) return [];
  return missing(
    settings,
    ['tokenJwksUrl', 'tokenIssuer', 'tokenAudience'],
    'needed with partitioning by token',
  );
}

function whereOn(settings: Settings): readonly Problem[] {
  const problems: Problem[] = [];
  const { tokenIssuer, tokenIssuers, tokenAudience, tokenIntrospectionUrl, partitioning } = settings;
  if (tokenJwksUrlAlone(settings)) problems.push(['tokenIssuer', 'needed with tokenJwksUrl']);
  if (tokenIssuer !== undefined)
    problems.push(...missing(settings, ['tokenAudience'], 'needed with tokenIssuer'));
  if (tokenAudience === undefined && tokenIssuers.some(({ audience }) => audience === undefined)) {
    problems.push(['tokenAudience', 'needed for those of tokenIssuers that have no audience']);
  }
  if (tokenIntrospectionUrl !== undefined) {
    const needed = ['tokenAudience', 'tokenIntrospectionClientId', 'tokenIntrospectionClientSecret'] as const;
    problems.push(...missing(settings, needed, 'needed with tokenIntrospectionUrl'));
  }
  const names = [tokenIssuer, ...tokenIssuers.map(({ issuer }) => issuer)].filter(
    (name) => name !== undefined,
  );
  if (new Set(names).size < names.length) problems.push(['tokenIssuers', 'names an issuer twice']);
  if (partitioning.includes('token') && settings.unnamedPartitions) {
    problems.push([
      'unnamedPartitions',
      'tokens name partitions; without names there is no partitioning by token',
    ]);
  }
  if (partitioning.includes('off') && tokenIssuers.some(({ partitions }) => partitions !== undefined)) {
    problems.push(['tokenIssuers', 'binds an issuer to partitions, of which there are none']);
  }
  return problems;
}

function tokenJwksUrlAlone({ tokenJwksUrl, tokenIssuer }: Settings): boolean {
  return tokenJwksUrl !== undefined && tokenIssuer === undefined;
}

function missing(settings: Settings, names: readonly (keyof Settings)[], why: string): readonly Problem[] {
  return names.filter((name) => settings[name] === undefined).map((name) => [name, why]);
}
