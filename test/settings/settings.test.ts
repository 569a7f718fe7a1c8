import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { defaultSettings, loadSettings, serverBaseOf } from '../../src/settings.js';
import type { LoadedSettings } from '../../src/settings.js';
import { describeSettings } from '../../src/settings/describe.js';
import { SettingsError } from '../../src/settings/error.js';
import { SETTING_NAMES, SETTINGS } from '../../src/settings/schema.js';
import type { SettingsInput } from '../../src/settings/sources.js';

interface Given extends Partial<SettingsInput> {
  /** Files in the working directory, by name. */
  readonly files?: Readonly<Record<string, string>>;
}

async function load(
  t: ExecutionContext,
  { files = {}, env = {}, flags = {} }: Given,
): Promise<LoadedSettings> {
  const cwd = await mkdtemp(join(tmpdir(), 'settings-'));
  t.teardown(() => rm(cwd, { recursive: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(cwd, name), content);
  return loadSettings({ env, flags, cwd });
}

async function problems(t: ExecutionContext, given: Given): Promise<readonly string[]> {
  const error = await t.throwsAsync(() => load(t, given), { instanceOf: SettingsError });
  return error?.problems ?? [];
}

async function valueOf(
  t: ExecutionContext,
  variable: string,
  value: string,
): Promise<LoadedSettings['settings']> {
  return (await load(t, { env: { [variable]: value } })).settings;
}

test('without any source every setting has its default', async (t) => {
  const { settings, sources } = await load(t, {});
  t.deepEqual(settings, defaultSettings());
  t.deepEqual([...new Set(Object.values(sources))], ['default']);
  t.like(settings, {
    host: '127.0.0.1',
    port: 8080,
    basePath: '/fhir',
    databaseUrl: 'sqlite:data/bulkhead.db',
  });
});

test('every default is a value that the setting allows', (t) => {
  for (const name of SETTING_NAMES) {
    const value: unknown = SETTINGS[name].default;
    if (value !== undefined) t.deepEqual(SETTINGS[name].type.parse(value) as unknown, value, name);
  }
});

test('a flag beats the environment, that the file, that the default', async (t) => {
  const files = { 'bulkhead.config.json': '{ "port": 1, "maxPageSize": 101, "maxIncludes": 11 }' };
  const env = { BULKHEAD_PORT: '2', BULKHEAD_MAX_PAGE_SIZE: '102', PATH: '/bin' };
  const { settings, sources } = await load(t, { files, env, flags: { port: 3, host: undefined } });
  t.like(settings, { port: 3, maxPageSize: 102, maxIncludes: 11, host: '127.0.0.1' });
  t.like(sources, {
    port: '--port',
    maxPageSize: 'BULKHEAD_MAX_PAGE_SIZE',
    maxIncludes: '"maxIncludes" in bulkhead.config.json',
    host: 'default',
  });
});

test('the file may be a module', async (t) => {
  const files = { 'bulkhead.config.mjs': 'export default { port: 80 + 1, interceptors: ["./a.mjs"] };' };
  t.like((await load(t, { files })).settings, { port: 81, interceptors: ['./a.mjs'] });
});

test('a flag or a variable names another file', async (t) => {
  const files = {
    'a.json': '{ "port": 1 }',
    'b.json': '{ "port": 2 }',
    'bulkhead.config.json': '{ "port": 3 }',
  };
  const env = { BULKHEAD_CONFIG: 'a.json' };
  t.is((await load(t, { files, env })).settings.port, 1);
  t.is((await load(t, { files, env, flags: { config: 'b.json' } })).settings.port, 2);
});

test('a file that is missing, malformed, no object or there twice is refused', async (t) => {
  t.regex(
    (await problems(t, { flags: { config: 'no.json' } }))[0] ?? '',
    /^no\.json: cannot be read: ENOENT/,
  );
  const malformed = { 'bulkhead.config.json': '{ port: 1 }' };
  t.regex((await problems(t, { files: malformed }))[0] ?? '', /^bulkhead\.config\.json: cannot be read: /);
  const array = { 'bulkhead.config.json': '[]' };
  t.deepEqual(await problems(t, { files: array }), ['bulkhead.config.json: expected an object of settings']);
  const both = { 'bulkhead.config.json': '{}', 'bulkhead.config.mjs': '' };
  t.deepEqual(await problems(t, { files: both }), [
    'both bulkhead.config.json and bulkhead.config.mjs exist: keep one',
  ]);
});

test('unknown names are refused with the nearest name, in the words of their source', async (t) => {
  const files = { 'bulkhead.config.json': '{ "maxPagesize": 5, "__proto__x": 1 }' };
  const given = { files, env: { BULKHEAD_PROT: '1' }, flags: { logPrety: true } };
  t.deepEqual(await problems(t, given), [
    '"maxPagesize" in bulkhead.config.json: there is no such setting. Did you mean "maxPageSize"?',
    '"__proto__x" in bulkhead.config.json: there is no such setting.',
    'BULKHEAD_PROT: there is no such setting. Did you mean BULKHEAD_PORT?',
    '--log-prety: there is no such setting. Did you mean --log-pretty?',
  ]);
});

test('variables that tell the tests what to run on are no settings', async (t) => {
  const env = { BULKHEAD_TEST_STORE: 'postgres', BULKHEAD_PORT: '1' };
  t.is((await load(t, { env })).settings.port, 1);
});

test('every bad value is listed with what was expected', async (t) => {
  const env = { BULKHEAD_PORT: '70000', BULKHEAD_REFERENCES: 'all', BULKHEAD_LOG_PRETTY: 'yes' };
  t.deepEqual(await problems(t, { env }), [
    'BULKHEAD_PORT: "70000" is not allowed; expected an integer from 0 to 65535',
    'BULKHEAD_REFERENCES: "all" is not allowed; expected "same", "default", "any"',
    'BULKHEAD_LOG_PRETTY: "yes" is not allowed; expected "true" or "false"',
  ]);
});

for (const [variable, value] of [
  ['BULKHEAD_PORT', '-1'],
  ['BULKHEAD_PORT', '0x10'],
  ['BULKHEAD_PORT', '80.5'],
  ['BULKHEAD_BASE_PATH', 'fhir'],
  ['BULKHEAD_BASE_PATH', '/a//b'],
  ['BULKHEAD_BASE_PATH', '/a?b'],
  ['BULKHEAD_PUBLIC_URL', 'example.org'],
  ['BULKHEAD_PUBLIC_URL', 'ftp://example.org'],
  ['BULKHEAD_PUBLIC_URL', 'https://example.org?x=1'],
  ['BULKHEAD_CORS_ORIGINS', 'https://example.org/app'],
  ['BULKHEAD_PARTITIONING', 'url,off'],
  ['BULKHEAD_PARTITIONING', 'interceptors,url'],
  ['BULKHEAD_PARTITIONING', 'url,url'],
  ['BULKHEAD_PARTITIONING', 'subdomain'],
  ['BULKHEAD_TENANT_HEADER', 'X Tenant'],
  ['BULKHEAD_DATABASE_URL', 'sqlite:'],
  ['BULKHEAD_MAX_BODY_BYTES', '1MB'],
  ['BULKHEAD_MAX_BODY_BYTES', '0'],
  ['BULKHEAD_INTERCEPTORS', './a.mjs,,./b.mjs'],
] as const) {
  test(`${variable}=${value} is refused`, async (t) => {
    const [problem] = await problems(t, { env: { [variable]: value } });
    t.true(problem?.startsWith(`${variable}: `));
  });
}

test('a database of another kind is refused by its scheme, without the password', async (t) => {
  t.deepEqual(await problems(t, { env: { BULKHEAD_DATABASE_URL: 'mysql://me:hunter2@db/fhir' } }), [
    'BULKHEAD_DATABASE_URL: the scheme "mysql" is not supported in this version; ' +
      'expected "sqlite:PATH", "sqlite::memory:", or "postgres://USER:PASSWORD@HOST/DATABASE"',
  ]);
});

test('a bad secret is not repeated', async (t) => {
  t.deepEqual(await problems(t, { env: { BULKHEAD_PAGE_LINK_SECRET: 'hunter2' } }), [
    'BULKHEAD_PAGE_LINK_SECRET: this value is not allowed; expected text of at least 32 characters',
  ]);
});

test('text is read by its setting: lists, sizes, flags and paths', async (t) => {
  t.deepEqual((await valueOf(t, 'BULKHEAD_PARTITIONING', 'header, url ')).partitioning, ['header', 'url']);
  t.is((await valueOf(t, 'BULKHEAD_MAX_BODY_BYTES', '32 MiB')).maxBodyBytes, 33_554_432);
  t.true((await valueOf(t, 'BULKHEAD_UNNAMED_PARTITIONS', 'true')).unnamedPartitions);
  t.is((await valueOf(t, 'BULKHEAD_BASE_PATH', '/')).basePath, '');
  t.is((await valueOf(t, 'BULKHEAD_BASE_PATH', '/a/b/')).basePath, '/a/b');
  t.is((await valueOf(t, 'BULKHEAD_DATABASE_URL', 'sqlite::memory:')).databaseUrl, 'sqlite::memory:');
});

test('an empty variable counts as not set', async (t) => {
  t.is((await valueOf(t, 'BULKHEAD_PORT', '')).port, 8080);
});

test('partitioning by token needs the key set, the issuer and the audience', async (t) => {
  t.deepEqual(await problems(t, { env: { BULKHEAD_PARTITIONING: 'token', BULKHEAD_TOKEN_ISSUER: 'me' } }), [
    'BULKHEAD_TOKEN_JWKS_URL: needed with partitioning by token',
    'BULKHEAD_TOKEN_AUDIENCE: needed with partitioning by token',
  ]);
});

test('the default page cannot be larger than the largest', async (t) => {
  t.deepEqual(await problems(t, { env: { BULKHEAD_MAX_PAGE_SIZE: '10' } }), [
    'BULKHEAD_DEFAULT_PAGE_SIZE: greater than maxPageSize (10)',
  ]);
});

test('the description has every setting, its source, and masks secrets', async (t) => {
  const env = { BULKHEAD_PAGE_LINK_SECRET: 'x'.repeat(32), BULKHEAD_BASE_PATH: '/' };
  const rows = describeSettings(await load(t, { env, flags: { partitioning: 'url,header' } }));
  t.deepEqual(
    rows.map(({ name }) => name),
    [...SETTING_NAMES],
  );
  const row = (wanted: string) => rows.find(({ name }) => name === wanted);
  t.like(row('pageLinkSecret'), { value: '********', source: 'BULKHEAD_PAGE_LINK_SECRET' });
  t.like(row('basePath'), { value: '/', env: 'BULKHEAD_BASE_PATH' });
  t.like(row('partitioning'), { value: 'url,header', source: '--partitioning' });
  t.like(row('publicUrl'), { value: '', source: 'default' });
  t.false(JSON.stringify(rows).includes('xxx'));
});

test('the description masks the password of the database', async (t) => {
  const env = { BULKHEAD_DATABASE_URL: 'postgres://me:hunter2@db:5432/fhir' };
  const rows = describeSettings(await load(t, { env }));
  t.is(rows.find(({ name }) => name === 'databaseUrl')?.value, 'postgres://me:********@db:5432/fhir');
});

function base(changes: Parameters<typeof defaultSettings>[0]): string {
  return serverBaseOf(defaultSettings(changes), 8081);
}

test('the base of the API is the public URL, or made of host and port', (t) => {
  t.is(base({}), 'http://127.0.0.1:8081/fhir');
  t.is(base({ host: '0.0.0.0', basePath: '' }), 'http://localhost:8081');
  t.is(base({ host: '::1' }), 'http://[::1]:8081/fhir');
  t.is(base({ publicUrl: 'https://fhir.example/x' }), 'https://fhir.example/x/fhir');
});

test('settings are frozen', (t) => {
  t.throws(() => Object.assign(defaultSettings(), { port: 1 }), { instanceOf: TypeError });
});
