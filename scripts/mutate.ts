/**
 * `npm run mutate`: changes the code that decides who sees what, one small thing at a time, and runs the tests that are
 * about it: they have to fail. `--file WORD` takes one file only, `--sample N` so many mutants of each, chosen by
 * `--seed S`; `--report FILE` writes every survivor as JSON. Ends with 1 where fewer than 90 % of those of a file were
 * noticed. The compiled files are changed in place, and put back at the end.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../src/fhir/definitions.js';
import { seededRandom } from '../test/campaigns/random.js';
import { createTemplateFiles } from '../test/support/template-files.js';
import { SQLITE_TEMPLATE_VARIABLE } from '../test/support/test-store.js';
import { type Mutant, mutantsOf } from './mutants.js';

const { values } = parseArgs({
  options: {
    file: { type: 'string' },
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    report: { type: 'string' },
  },
});

const ISOLATION = [
  'isolation/modes',
  'isolation/foreign-id',
  'isolation/definitions',
  'isolation/all-partitions',
];

const ACCESS = contract(
  'access/reads',
  'access/searches',
  'access/writes',
  'access/several-types',
  'access/contained',
  'access/exports',
  'access/random-searches',
);

/** The code of the scope, and the tests that hold it, those that notice most, and soonest, first. */
const SUBJECTS: Readonly<Record<string, readonly string[]>> = {
  'src/partition/resolver.js': [
    ...compiled('partition/resolver', 'partition/resolver-grants', 'partition/resolver-announced'),
    ...contract(
      ...ISOLATION,
      'isolation/partition-date',
      'hooks/partition-selected',
      'rest/partition-explain',
      'search-parameters/partition-tenants',
    ),
  ],
  'src/storage/sql/scoped-tables.js': [
    ...compiled('storage/scoped-tables', 'storage/search/scope-guard', 'guards/sql-scope'),
    ...contract(...ISOLATION),
  ],
  'src/search/page-token.js': [...compiled('search/page-token'), ...contract('search/paging', ...ISOLATION)],
  'src/storage/within-types.js': [
    ...compiled('storage/within-types'),
    ...contract('isolation/definitions', ...ISOLATION, 'search/includes'),
  ],
  'src/partition/tenant-grants.js': [
    ...compiled('partition/tenant-grants'),
    ...contract('auth/tenants', 'auth/administration', 'rest/partition-explain'),
  ],
  'src/model/access.js': [...compiled('model/access', 'interactions/permission'), ...ACCESS],
  'src/model/smart-scope.js': [...compiled('model/smart-scope'), ...ACCESS],
  'src/interactions/permission.js': [...compiled('interactions/permission'), ...ACCESS],
  'src/search/access-limits.js': [...compiled('search/access-limits'), ...ACCESS],
  'src/storage/plan-within.js': [
    ...compiled('storage/plan-within', 'storage/within-types'),
    ...ACCESS,
    ...contract('isolation/definitions'),
  ],
  'src/storage/within-access.js': [
    ...compiled('storage/within-access', 'storage/within-access-binaries'),
    ...ACCESS,
  ],
};

const MOST_MS = 240_000;
const LEAST_KILLED = 0.9;

/** One mutant and what became of it. */
interface Outcome {
  readonly file: string;
  readonly mutant: Mutant;
  readonly isKilled: boolean;
}

function contract(...names: readonly string[]): readonly string[] {
  return compiled(...names.map((name) => `contract/${name}`));
}

function compiled(...names: readonly string[]): readonly string[] {
  return names.map((name) => `build/test/${name}.test.js`);
}

async function main(): Promise<void> {
  process.chdir(packageRoot());
  const environment = { [SQLITE_TEMPLATE_VARIABLE]: await createTemplateFiles() };
  const outcomes = Object.entries(SUBJECTS)
    .filter(([file]) => values.file === undefined || file.includes(values.file))
    .flatMap(([file, files]) => judgeFile(file, files, environment));
  conclude(outcomes);
}

function judgeFile(
  file: string,
  tests: readonly string[],
  environment: NodeJS.ProcessEnv,
): readonly Outcome[] {
  const path = join('build', file);
  const original = readFileSync(path, 'utf8');
  const restore = (): void => writeFileSync(path, original);
  process.once('exit', restore);
  try {
    const broken = failing(tests, environment);
    if (broken !== undefined) throw new Error(`${broken} fails without any change.`);
    return sampled(mutantsOf(original)).map((mutant) => {
      writeFileSync(path, mutant.text);
      const isKilled = failing(tests, environment) !== undefined;
      say(`${isKilled ? 'killed' : 'SURVIVED'} ${file}:${mutant.line} ${mutant.change}`);
      return { file, mutant, isKilled };
    });
  } finally {
    restore();
    process.off('exit', restore);
  }
}

/** All of them, unless a part is asked for. */
function sampled(mutants: readonly Mutant[]): readonly Mutant[] {
  const most = Number(values.sample ?? Infinity);
  const random = seededRandom(Number(values.seed));
  const left = [...mutants];
  while (left.length > most) left.splice(random.integer(0, left.length - 1), 1);
  return left;
}

/** The first file of tests that fails; one after the other, as most mutants are noticed by the first. */
function failing(files: readonly string[], environment: NodeJS.ProcessEnv): string | undefined {
  return files.find((file) => {
    const { status } = spawnSync(
      process.execPath,
      [join('node_modules', 'ava', 'entrypoints', 'cli.mjs'), '--fail-fast', '--timeout=60s', file],
      { env: { ...process.env, ...environment }, stdio: 'ignore', timeout: MOST_MS },
    );
    return status !== 0;
  });
}

function conclude(outcomes: readonly Outcome[]): void {
  const survivors = outcomes.filter(({ isKilled }) => !isKilled);
  for (const [file, all] of Map.groupBy(outcomes, (one) => one.file)) {
    const part = tell(file, all);
    if (part < LEAST_KILLED) process.exitCode = 1;
  }
  tell('all', outcomes);
  if (values.report !== undefined) {
    const rows = survivors.map(({ file, mutant: { line, change } }) => ({ file, line, change }));
    writeFileSync(values.report, `${JSON.stringify(rows, undefined, 2)}\n`);
  }
}

/** Says how many of the mutants were killed, and answers which part of them. */
function tell(what: string, outcomes: readonly Outcome[]): number {
  const killed = outcomes.filter(({ isKilled }) => isKilled).length;
  const part = killed / outcomes.length;
  say(`${what}: ${killed} of ${outcomes.length} mutants killed, ${(part * 100).toFixed(1)} %`);
  return part;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

await main();
