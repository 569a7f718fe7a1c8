import test from 'ava';
import { defaultSettings, loadSettings } from '../../src/settings.js';
import { describeSettings } from '../../src/settings/describe.js';
import { SettingsError } from '../../src/settings/error.js';
import { exportOutputOf } from '../../src/settings/export-output.js';
import type { Settings } from '../../src/settings/schema.js';

const CWD = '/nowhere';

function outputOf(changes: Partial<Settings>): unknown {
  return exportOutputOf(defaultSettings(changes));
}

test('exports are kept beside the database, unless a folder is named', (t) => {
  t.deepEqual(outputOf({}), { kind: 'local', folder: 'data/exports' });
  t.deepEqual(outputOf({ databaseUrl: 'sqlite:/var/lib/bulkhead/data.db' }), {
    kind: 'local',
    folder: '/var/lib/bulkhead/exports',
  });
  t.deepEqual(outputOf({ databaseUrl: 'postgres://me:secret@db/fhir' }), {
    kind: 'local',
    folder: 'data/exports',
  });
  t.deepEqual(outputOf({ databaseUrl: 'sqlite::memory:' }), { kind: 'local', folder: undefined });
  t.deepEqual(outputOf({ databaseUrl: 'sqlite::memory:', exportDir: '/exports' }), {
    kind: 'local',
    folder: '/exports',
  });
});

test('a URL of S3 names a bucket, and a prefix if it likes', (t) => {
  for (const [url, prefix] of [
    ['s3://our-exports', ''],
    ['s3://our-exports/', ''],
    ['s3://our-exports/fhir/prod', 'fhir/prod/'],
    ['s3://our-exports/fhir/prod/', 'fhir/prod/'],
  ] as const)
    t.like(
      outputOf({ exportOutput: url }),
      { kind: 's3', bucket: 'our-exports', prefix, pathStyle: false },
      url,
    );
  for (const url of [
    's3:',
    's3://',
    's3://a',
    's3://bucket/../other',
    's3://bucket//x',
    'https://x',
    'Local',
  ])
    t.throws(() => outputOf({ exportOutput: url }), { instanceOf: SettingsError }, url);
});

test('the keys of S3 are given together, and never shown', async (t) => {
  const keys = { BULKHEAD_EXPORT_S3_ACCESS_KEY_ID: 'AKIA1', BULKHEAD_EXPORT_S3_SECRET_ACCESS_KEY: 'hunter2' };
  const env = { ...keys, BULKHEAD_EXPORT_OUTPUT: 's3://our-exports' };
  const loaded = await loadSettings({ env, flags: {}, cwd: CWD });
  t.like(exportOutputOf(loaded.settings), {
    credentials: { accessKeyId: 'AKIA1', secretAccessKey: 'hunter2' },
  });
  t.notRegex(JSON.stringify(describeSettings(loaded)), /AKIA1|hunter2/);
  for (const [name, value] of Object.entries(keys)) {
    const error = await t.throwsAsync(loadSettings({ env: { [name]: value }, flags: {}, cwd: CWD }), {
      instanceOf: SettingsError,
      message: /needed with/,
    });
    t.notRegex(String(error), /AKIA1|hunter2/);
  }
});

test('files of a folder cannot be for whoever has their URL', async (t) => {
  const env = { BULKHEAD_EXPORT_REQUIRES_ACCESS_TOKEN: 'false' };
  await t.throwsAsync(loadSettings({ env, flags: {}, cwd: CWD }), {
    instanceOf: SettingsError,
    message: /BULKHEAD_EXPORT_REQUIRES_ACCESS_TOKEN: files of a folder are read through the server/,
  });
  const s3 = await loadSettings({ env, flags: { exportOutput: 's3://our-exports' }, cwd: CWD });
  t.is(s3.settings.exportRequiresAccessToken, false);
  for (const value of ['auto', 'true'])
    await t.notThrowsAsync(loadSettings({ env: {}, flags: { exportRequiresAccessToken: value }, cwd: CWD }));
});
