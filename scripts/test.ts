/**
 * `npm test`: every test on SQLite, then those again on PostgreSQL that are about where the stores differ most, on the
 * one that npm brings or the one that BULKHEAD_TEST_POSTGRES_URL names. `npm run test:postgres` runs there all that talk
 * to a store; `npm run test:placements` runs what must hold wherever partitions are placed, on the placements that the
 * others leave out. `npm test -- test/cli` runs a folder or a file on both stores; BULKHEAD_TEST_STORE and
 * BULKHEAD_TEST_PLACEMENT leave one of the passes. Ends with "N passed, N failed".
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { packageRoot } from '../src/fhir/definitions.js';
import { PostgresDatabases } from '../test/support/postgres-databases.js';
import { PostgresServer } from '../test/support/postgres-server.js';
import { storeSearchParameters } from '../test/support/store-search-parameters.js';
import { createTemplateFiles } from '../test/support/template-files.js';
import {
  PLACEMENT_VARIABLE,
  POSTGRES_VARIABLE,
  SQLITE_TEMPLATE_VARIABLE,
  STORE_VARIABLE,
  TEMPLATE_VARIABLE,
} from '../test/support/test-store.js';
import {
  nameOf,
  parseTestArguments,
  selectedPasses,
  type TestArguments,
  type TestPass,
  testsOf,
} from './test-passes.js';

/** What came out of one pass. */
interface PassResult {
  readonly pass: TestPass;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
}

type Environment = Readonly<Record<string, string>>;

/** Every file of tests loads the server anew: what was compiled for one of them is there for the next. */
const COMPILE_CACHE = join('build', '.compile-cache');

async function main(words: readonly string[]): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  process.chdir(packageRoot());
  const passes = selectedPasses(process.env, words);
  const options = parseTestArguments(words);
  const runnable = passes.filter((pass) => testsOf(pass, options.files).length > 0);
  const needsPostgres = runnable.some(({ store }) => store === 'postgres');
  const sqlite = { [SQLITE_TEMPLATE_VARIABLE]: await createTemplateFiles() };
  await withPostgres(needsPostgres, async (postgres) => {
    const results: PassResult[] = [];
    for (const pass of runnable) results.push(await runPass(pass, options, { ...sqlite, ...postgres }));
    conclude(results);
  });
}

/** Brings up what tests on PostgreSQL need, and takes it down again. */
async function withPostgres(
  needed: boolean,
  work: (environment: Environment) => Promise<void>,
): Promise<void> {
  if (!needed) return work({});
  const given = process.env[POSTGRES_VARIABLE];
  const server = given === undefined ? await PostgresServer.create('fast') : undefined;
  const url = given ?? server!.url;
  const databases = PostgresDatabases.ofNewRun(url);
  try {
    await migrate(await databases.createTemplate());
    await storeSearchParameters(await databases.createTemplateOf('search-parameters'));
    await work({ [POSTGRES_VARIABLE]: url, [TEMPLATE_VARIABLE]: databases.template });
  } finally {
    if (server === undefined) await databases.dropRun();
    server?.stop();
  }
}

async function migrate(url: string): Promise<void> {
  const child = spawn(process.execPath, ['build/src/cli/main.js', 'migrate'], {
    env: { ...process.env, BULKHEAD_DATABASE_URL: url },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error('The schema of the PostgreSQL tests cannot be made.');
}

async function runPass(
  pass: TestPass,
  { files, flags }: TestArguments,
  environment: Environment,
): Promise<PassResult> {
  print(`\n== ${nameOf(pass)}`);
  const begin = Date.now();
  const ava = spawn(
    process.execPath,
    [join('node_modules', 'ava', 'entrypoints', 'cli.mjs'), ...flags, ...testsOf(pass, files)],
    { env: environmentOf(pass, environment), stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let passed = 0;
  let failed = 0;
  for await (const line of createInterface({ input: ava.stdout })) {
    print(line);
    const [, mark] = /^ +([✔✘]) /.exec(stripVTControlCharacters(line)) ?? [];
    if (mark === '✔') passed++;
    if (mark === '✘') failed++;
  }
  const code = ava.exitCode ?? ((await once(ava, 'exit')) as [number | null])[0];
  // What could not even run (a file that does not load, a timeout) has no mark, and shows in the exit code.
  const ranNothing = passed + failed === 0 && flags.length > 0;
  if (code !== 0 && failed === 0 && !ranNothing) failed = 1;
  return { pass, passed, failed, seconds: (Date.now() - begin) / 1000 };
}

function environmentOf({ store, placement }: TestPass, environment: Environment): NodeJS.ProcessEnv {
  return {
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    ...process.env,
    ...environment,
    [STORE_VARIABLE]: store,
    ...(placement === undefined ? {} : { [PLACEMENT_VARIABLE]: placement }),
    ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}),
  };
}

function conclude(results: readonly PassResult[]): void {
  const sum = (count: (result: PassResult) => number): number =>
    results.reduce((total, result) => total + count(result), 0);
  print('');
  for (const { pass, passed, failed, seconds } of results)
    print(`${nameOf(pass).padEnd(24)} ${passed} passed, ${failed} failed, ${seconds.toFixed(0)} s`);
  const passed = sum((result) => result.passed);
  const failed = sum((result) => result.failed);
  print(`\n${passed} passed, ${failed} failed`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main(process.argv.slice(2));
