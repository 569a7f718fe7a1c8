import { existsSync, globSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { PLACEMENT_VARIABLE, STORE_VARIABLE, type StoreKind } from '../test/support/test-store.js';

/** One run of tests on one store. */
export interface TestPass {
  readonly store: StoreKind;
  /** Where new partitions are placed; the store's default if left out. */
  readonly placement?: string;
  /** Folders of tests, below `build/test`. */
  readonly folders: readonly string[];
}

/** Every test of these talks to a store through a server, and must hold on all of them. */
const ON_EVERY_STORE = ['contract', 'storage', 'cli', 'interceptors', 'examples'];

/** Where the stores differ most: what `npm test` runs on PostgreSQL. */
const MOST_DIFFERENT = ['contract/isolation', 'storage'];

/** What a client can observe must not tell where a partition's rows are. */
const ON_EVERY_PLACEMENT = ['contract'];

/** What does not talk to the store under test is the same in every pass. */
const WITHOUT_STORE = [
  '/contract/output/',
  '/examples/readme.test.js',
  '/interceptors/docs.test.js',
  '/storage/turns.test.js',
];

const SQLITE_PASS: TestPass = { store: 'sqlite', folders: ['.'] };
const POSTGRES_PASS: TestPass = { store: 'postgres', folders: ON_EVERY_STORE };
const QUICK_PASSES: readonly TestPass[] = [SQLITE_PASS, { ...POSTGRES_PASS, folders: MOST_DIFFERENT }];
const PASSES: readonly TestPass[] = [SQLITE_PASS, POSTGRES_PASS];

/** Where a database of its own differs from a schema of its own, which both have other connections than their neighbours. */
const DATABASES_DIFFER = ['placement', 'isolation', 'rest', 'export', 'search-parameters'].map(
  (folder) => `contract/${folder}`,
);

const DATABASE_PASS: TestPass = { store: 'postgres', placement: 'database', folders: ON_EVERY_PLACEMENT };

const OTHER_PLACEMENTS: readonly TestPass[] = [
  { store: 'sqlite', placement: 'database', folders: ON_EVERY_PLACEMENT },
  { store: 'postgres', placement: 'schema', folders: ON_EVERY_PLACEMENT },
];
/** What `npm run test:placements` adds. */
const PLACEMENT_PASSES = [...OTHER_PLACEMENTS, DATABASE_PASS];
const SHORT_PLACEMENT_PASSES = [...OTHER_PLACEMENTS, { ...DATABASE_PASS, folders: DATABASES_DIFFER }];

/** The word behind `test.js` that asks for the other placements. */
const PLACEMENTS_FLAG = '--placements';
/** The word besides that one which leaves out of the last placement what another one shows as well. */
const SHORT_FLAG = '--short';
/** The word that asks for everything on PostgreSQL. */
const POSTGRES_FLAG = '--postgres';
const OWN_FLAGS = [PLACEMENTS_FLAG, SHORT_FLAG, POSTGRES_FLAG];

/**
 * What is to run: `npm test` has everything on SQLite and much of it on PostgreSQL, `npm run test:postgres` the whole of
 * that, both in the placement that is the default; `npm run test:placements` has the others. The environment may name one
 * store and one placement, and tests that are named run on both stores.
 */
export function selectedPasses(env: NodeJS.ProcessEnv, words: readonly string[]): readonly TestPass[] {
  const store = env[STORE_VARIABLE];
  const placement = env[PLACEMENT_VARIABLE];
  const named = placement === undefined ? undefined : [...PASSES, ...PLACEMENT_PASSES];
  const asked = named ?? askedPasses(words);
  const selected = asked.filter(
    (pass) =>
      (store === undefined || pass.store === store) &&
      (placement === undefined || (pass.placement ?? 'shared') === placement),
  );
  if (selected.length > 0) return selected;
  throw new Error(
    `There are no tests for ${STORE_VARIABLE}=${store} and ${PLACEMENT_VARIABLE}=${placement}.`,
  );
}

function askedPasses(words: readonly string[]): readonly TestPass[] {
  if (words.includes(PLACEMENTS_FLAG)) {
    return words.includes(SHORT_FLAG) ? SHORT_PLACEMENT_PASSES : PLACEMENT_PASSES;
  }
  if (words.includes(POSTGRES_FLAG)) return [POSTGRES_PASS];
  return words.some(isPath) ? PASSES : QUICK_PASSES;
}

/** `postgres, schema` */
export function nameOf({ store, placement }: TestPass): string {
  return placement === undefined ? store : `${store}, ${placement}`;
}

/** What stands behind `npm test --`: files and folders to run, and what is for ava. */
export interface TestArguments {
  /** Paths of compiled tests; undefined for all. */
  readonly files: readonly string[] | undefined;
  readonly flags: readonly string[];
}

/** @throws Error for a file or folder without tests. */
export function parseTestArguments(words: readonly string[]): TestArguments {
  const paths = words.filter(isPath);
  const files = paths.flatMap((path) => {
    const found = testsIn(compiled(path));
    if (found.length === 0) throw new Error(`There is no test in ${path}.`);
    return found;
  });
  return {
    files: paths.length === 0 ? undefined : [...new Set(files)],
    flags: words.filter((word) => !isPath(word) && !OWN_FLAGS.includes(word)),
  };
}

function isPath(word: string): boolean {
  return /[/\\]|\.[jt]s$/.test(word) && !word.startsWith('-');
}

/** `test/cli/load.test.ts` may be said instead of `build/test/cli/load.test.js`. */
function compiled(path: string): string {
  const plain = path.replace(/^\.\//, '');
  return (plain.startsWith('test/') ? `build/${plain}` : plain).replace(/\.ts$/, '.js');
}

function testsIn(path: string): readonly string[] {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  return globSync(isFolder ? join(path, '**/*.test.js') : path).map((file) => file.split(sep).join('/'));
}

/** The compiled tests of a pass. A folder that is named after a store holds tests of that store alone. */
export function testsOf(pass: TestPass, files: TestArguments['files']): readonly string[] {
  const others = [pass.store === 'sqlite' ? '/postgres/' : '/sqlite/'];
  if (pass !== SQLITE_PASS) others.push(...WITHOUT_STORE);
  const own = pass.folders.flatMap((folder) => testsIn(join('build/test', folder)));
  return own
    .filter((file) => !others.some((other) => file.includes(other)))
    .filter((file) => files === undefined || files.includes(file));
}
