import { z } from 'zod';
import { databaseUrl, exportPlace, headerName, pageOrigin, urlPath, webUrl } from './addresses.js';
import { AUTHENTICATION_SETTINGS } from './authentication.js';
import { AUTHORIZATION_SERVER_SETTINGS } from './authorization-server.js';
import { autoFlag, bytes, flag, integer, list, oneOf, optional, secret, setting, text } from './kinds.js';
import type { Kind } from './kinds.js';
import { LIMITS } from './limits.js';

/** Who finds a request's tenant: shipped interceptors, only the registered ones, or nobody. */
export type PartitioningMode = 'url' | 'header' | 'token' | 'interceptors' | 'off';

const MODES = [
  'url',
  'header',
  'token',
  'interceptors',
  'off',
] as const satisfies readonly PartitioningMode[];

const modes = list<PartitioningMode>(z.enum(MODES), '');

const partitioning: Kind<readonly PartitioningMode[]> = {
  type: modes.type.refine((given) => new Set(given).size === given.length && standsAlone(given)),
  values: 'a list of `url`, `header`, `token`; or `interceptors`; or `off`',
};

const modulePaths = list(z.string().min(1), 'a list of module paths or package names');

const origins = list(pageOrigin, '`*`, or a list of origins such as `https://app.example`');

const DAY_MS = 24 * 60 * 60 * 1000;
/** No S3 signs a URL for longer. */
const WEEK_SECONDS = 7 * 24 * 60 * 60;

/** Every setting: its type, default and description. Names in the environment are made of these names. */
export const SETTINGS = {
  host: setting(text('an address or host name'), '127.0.0.1', 'Address to listen on; `0.0.0.0` for all.'),
  port: setting(integer(0, 65_535), 8080, 'Port to listen on; 0 takes any free one.'),
  basePath: setting(urlPath, '/fhir', 'Path that the FHIR API is served under.'),
  publicUrl: optional(
    webUrl,
    'What clients see before the base path, where a proxy stands in front; `http://host:port` if left out.',
  ),
  corsOrigins: setting(origins, ['*'], 'Origins whose pages may use the API; `*` for any.'),

  databaseUrl: setting(databaseUrl, 'sqlite:data/bulkhead.db', 'Where the data is.'),
  databasePoolSize: setting(
    integer(2, 1_000),
    10,
    'PostgreSQL: connections that this server may have open at once.',
  ),
  sqliteSynchronous: setting(
    oneOf('full', 'normal'),
    'full',
    'With `full` an acknowledged write survives a power cut; `normal` is faster and survives a crash of the process only.',
  ),
  placement: setting(
    oneOf('shared', 'schema', 'database'),
    'shared',
    'Where the rows of new partitions go: with those of others, or into a schema or a database (for SQLite a file) of their own. DEFAULT is always shared.',
  ),
  maxOpenHomes: setting(
    integer(1, 10_000),
    100,
    'Most schemas and databases of single partitions that are kept open; the one that was not used for longest is closed.',
  ),
  nativePartitions: setting(
    integer(0, 50),
    0,
    'PostgreSQL: most shared partitions that get native partitions of their own. 0: none; anything else needs a database that was made with it.',
  ),

  partitioning: setting(
    partitioning,
    ['url'],
    'Where the tenant of a request is found. `interceptors`: only your own decide; `off`: everything is in DEFAULT.',
  ),
  tenantHeader: setting(headerName, 'X-Tenant-ID', 'Header that names the tenant, with `header`.'),
  partitionIdsHeader: setting(
    headerName,
    'X-Request-Partition-IDs',
    'Header that lists partition ids, `DEFAULT` or `_ALL`, with `header`.',
  ),
  ...AUTHENTICATION_SETTINGS,
  ...AUTHORIZATION_SERVER_SETTINGS,
  references: setting(
    oneOf('same', 'default', 'any'),
    'same',
    "Partitions that a reference may point to: the resource's own, also DEFAULT, or any.",
  ),
  resourceIds: setting(
    oneOf('partition', 'server'),
    'partition',
    'Whether a resource id is unique within its partition or on the whole server.',
  ),
  unnamedPartitions: setting(flag(), false, 'Every integer is a partition, without registration and names.'),
  conformanceWrites: setting(
    oneOf('default', 'reject'),
    'default',
    "What becomes of a ValueSet or the like that is written under a tenant's URL: stored in DEFAULT, or refused.",
  ),
  partitionSearchParameters: setting(
    flag(),
    false,
    "Partitions may hold SearchParameters of their own, which hold for them alone; without it a tenant's go to DEFAULT and hold for all.",
  ),
  autoCreatePartitions: setting(
    flag(),
    false,
    'An unknown tenant is registered when it is first written to.',
  ),
  allPartitionsTenant: setting(flag(), true, 'The tenant `_ALL` reads all partitions.'),
  interceptors: setting(modulePaths, [], 'Modules whose default export is one interceptor or several.'),

  serverIds: setting(oneOf('uuid', 'sequential'), 'uuid', 'Ids that the server gives to resources.'),
  clientIds: setting(
    oneOf('any', 'alphanumeric', 'none'),
    'any',
    'Ids that a client may create by update: any, any but purely numeric ones, or none.',
  ),
  validation: setting(
    oneOf('structure', 'full', 'off'),
    'structure',
    'What is checked before a resource is stored: structure, also invariants, or nothing.',
  ),

  fullText: setting(
    oneOf('on', 'off'),
    'off',
    'Whether resources are indexed by their words, for `_text` and `_content`. Data from before it was on needs `bulkhead reindex`.',
  ),

  exportOutput: setting(
    exportPlace,
    'local',
    'Where the files of bulk exports are kept: in a folder, or in a bucket of S3 or of a server that speaks it.',
  ),
  exportDir: optional(
    text('a path'),
    'With `local`: the folder, which servers of one database share; `exports` beside the SQLite file, or `data/exports`, if left out.',
  ),
  exportS3Endpoint: optional(
    webUrl,
    "With S3: address of another server than Amazon's. It is also in the URLs of files that are read from there.",
  ),
  exportS3Region: optional(
    text('a region'),
    "With S3: the bucket's region; that of the AWS environment if left out, and any where an endpoint is given.",
  ),
  exportS3PathStyle: setting(
    flag(),
    false,
    'With S3: the bucket is named in the path, not in the host name; most servers of your own need it.',
  ),
  exportS3AccessKeyId: secret(
    text(),
    'With S3: key to the bucket; what the AWS environment has (variables, files, the role of the machine) if left out.',
  ),
  exportS3SecretAccessKey: secret(text(), 'With S3: the secret of that key.'),
  exportUrlSeconds: setting(
    integer(1, WEEK_SECONDS),
    3600,
    'With S3: how long the URL of a file can be followed once it was given out.',
  ),
  exportRequiresAccessToken: setting(
    autoFlag(),
    'auto',
    'Who reads files: with `true` whoever may use the API, through it; with `false` whoever has their URL, from S3; `auto`: from S3 where they are there.',
  ),
  exportWorkers: setting(
    integer(0, 64),
    2,
    'Bulk exports that this server works on at once, those that others have taken on included; 0: none, others do.',
  ),
  exportMaxPerPartition: setting(
    integer(1, 10_000),
    4,
    'Bulk exports of one partition that may be under way; one more is refused with 429.',
  ),
  exportLeaseMs: setting(
    integer(1_000, DAY_MS),
    10_000,
    'After this time another server goes on with an export whose server was killed.',
  ),
  exportFileBytes: setting(
    bytes(),
    64 * 2 ** 20,
    'About the size of the files of bulk exports, and of the parts in which they are saved.',
  ),
  exportLifetimeMinutes: setting(
    integer(1, 525_600),
    24 * 60,
    'How long a bulk export and its files are kept after its end.',
  ),
  exportAttempts: setting(
    integer(1, 1_000),
    10,
    'Attempts of a bulk export that come no further until it fails, each after a longer pause.',
  ),

  ...LIMITS,
  pageLinkTtlMinutes: setting(
    integer(1, 525_600),
    24 * 60,
    'How long the links between pages can be followed.',
  ),
  pageLinkSecret: secret(
    text('text of at least 32 characters', 32),
    'Key that page links are signed with; a random one in the database if left out.',
  ),

  logLevel: setting(
    oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    'info',
    'Least level that is logged.',
  ),
  logPretty: setting(flag(), false, 'Log lines for people instead of JSON.'),
} as const;

/** The name of a setting. */
export type SettingName = keyof typeof SETTINGS;

/** All names, in the order of the documentation. */
export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

/** Every setting's value. Sizes are in bytes, times in milliseconds unless the name says otherwise. */
export type Settings = {
  readonly [Name in SettingName]:
    z.output<(typeof SETTINGS)[Name]['type']> | (typeof SETTINGS)[Name]['default'];
};

function standsAlone(given: readonly PartitioningMode[]): boolean {
  return given.length === 1 || !given.some((mode) => mode === 'off' || mode === 'interceptors');
}
