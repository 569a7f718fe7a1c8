import test from 'ava';
import { SETTING_NAMES } from '../../src/settings/schema.js';
import { toFlagName } from '../../src/settings/sources.js';
import { createEmptyDatabase } from '../support/test-database.js';
import { createWorkplace } from './fixtures.js';

test('help tells every command and ends with 0', async (t) => {
  const { run } = await createWorkplace(t);
  const { exit, out } = await run('--help');
  t.is(exit, 0);
  for (const name of ['serve', 'load', 'partition', 'config', 'migrate', 'doctor'])
    t.regex(out, new RegExp(`^  ${name}`, 'm'));
});

test('every setting is a flag of serve, with its description', async (t) => {
  const { run } = await createWorkplace(t);
  const { out } = await run('serve', '--help');
  t.deepEqual(
    SETTING_NAMES.filter((name) => !out.includes(`${toFlagName(name)} `)),
    [],
  );
});

test('a misspelt command is told the nearest one', async (t) => {
  const { run } = await createWorkplace(t);
  const { exit, err } = await run('laod');
  t.is(exit, 2);
  t.is(err, "error: there is no command 'laod'. Did you mean load?");
});

test('a misspelt flag is told the nearest one, also where the help does not list it', async (t) => {
  const { run } = await createWorkplace(t);
  for (const command of ['serve', 'migrate']) {
    const { exit, err } = await run(command, '--max-page-sise', '3');
    t.is(exit, 2);
    t.regex(err, /unknown option '--max-page-sise'.*Did you mean --max-page-size\?/s);
  }
});

test('wrong settings are listed, without a stack', async (t) => {
  const { runWith, databaseUrl } = await createWorkplace(t);
  const env = { BULKHEAD_DATABASE_URL: databaseUrl, BULKHEAD_PRT: '1' };
  const { exit, err } = await runWith({ env }, 'partition', 'list', '--page-link-ttl-minutes', 'soon');
  t.is(exit, 2);
  t.regex(err, /BULKHEAD_PRT: there is no such setting\. Did you mean BULKHEAD_PORT\?/);
  t.regex(err, /--page-link-ttl-minutes: "soon" is not allowed/);
  t.notRegex(err, /\bat .*\.js:\d+/);
});

test('config prints values and where they came from, and masks secrets', async (t) => {
  const { runWith } = await createWorkplace(t);
  const secret = 'a secret that is long enough for a key';
  const env = { BULKHEAD_PORT: '9000', BULKHEAD_PAGE_LINK_SECRET: secret };
  const { exit, out } = await runWith({ env }, 'config', '--log-pretty', '--max-page-size=700');
  t.is(exit, 0);
  t.regex(out, /^port +9000 +BULKHEAD_PORT$/m);
  t.regex(out, /^maxPageSize +700 +--max-page-size$/m);
  t.regex(out, /^logPretty +true +--log-pretty$/m);
  t.regex(out, /^host +127\.0\.0\.1 +default$/m);
  t.regex(out, /^pageLinkSecret +\*{8} +BULKHEAD_PAGE_LINK_SECRET$/m);
  t.false(out.includes(secret));
});

test('migrate tells what it applied, and then that there is nothing to apply', async (t) => {
  const { run, databaseUrl } = await createWorkplace(t, createEmptyDatabase);
  const first = await run('migrate');
  t.is(first.exit, 0);
  t.regex(first.out, /^applied 0001-resources$/m);
  const second = await run('migrate');
  t.is(second.exit, 0);
  t.regex(second.out, / is up to date\.$/);
  const { password } = new URL(databaseUrl);
  t.false(password !== '' && (first.out + second.out).includes(password));
});

test('migrate refuses a database in memory', async (t) => {
  const { run } = await createWorkplace(t);
  const { exit, err } = await run('migrate', '--database-url', 'sqlite::memory:');
  t.is(exit, 1);
  t.regex(err, /made and migrated anew at every start/);
});
