import { posix } from 'node:path';
import test from 'ava';
import { type ProjectFile, projectFiles } from './project.js';

/** What each part of the project may import besides itself; `src/README.md` draws it. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  model: [],
  settings: ['model'],
  log: ['settings'],
  outgoing: ['model'],
  fhir: ['model'],
  terminology: ['fhir', 'model'],
  hooks: ['model'],
  storage: ['fhir', 'model'],
  partition: ['storage', 'hooks', 'fhir', 'model'],
  'search-parameters': ['storage', 'fhir', 'model'],
  search: ['storage', 'hooks', 'terminology', 'fhir', 'model'],
  export: ['storage', 'hooks', 'fhir', 'model'],
  clients: ['partition', 'storage', 'fhir', 'settings', 'model'],
  interactions: [
    'operations',
    'partition',
    'search',
    'search-parameters',
    'export',
    'clients',
    'storage',
    'hooks',
    'terminology',
    'fhir',
    'settings',
    'model',
  ],
  operations: [
    'interactions',
    'partition',
    'search',
    'search-parameters',
    'export',
    'clients',
    'storage',
    'hooks',
    'terminology',
    'fhir',
    'settings',
    'model',
  ],
  auth: [
    'outgoing',
    'interactions',
    'operations',
    'partition',
    'search',
    'search-parameters',
    'clients',
    'storage',
    'hooks',
    'fhir',
    'settings',
    'model',
  ],
  http: [
    'auth',
    'interactions',
    'operations',
    'partition',
    'search',
    'search-parameters',
    'storage',
    'hooks',
    'fhir',
    'settings',
    'log',
    'model',
  ],
  isolation: ['settings', 'model'],
  'interceptor-modules': ['hooks'],
  migrations: [],
  interceptors: ['index'],
};

/** Composes all the others, so it may import anything. */
const COMPOSERS = [
  'server',
  'server-authentication',
  'server-authorization',
  'server-exports',
  'server-parameters',
  'server-search',
  'storage-options',
  'running-server',
  'index',
  'testing',
  'cli',
];

/** Who alone may import a package. */
const ONLY_IN: Readonly<Record<string, RegExp>> = {
  knex: /^(src\/storage\/sql\/|migrations\/)/,
  'better-sqlite3': /^src\/storage\/sql\/sqlite\//,
  koa: /^src\/http\//,
  '@koa/router': /^src\/http\//,
  tsyringe: /^src\/server\.ts$/,
  'reflect-metadata': /^src\/(server\.ts|hooks\/decorators\.ts)$/,
  'prom-client': /^src\/http\//,
  pino: /^src\/log\.ts$/,
  jose: /^(interceptors|src\/auth)\//,
  commander: /^src\/cli\//,
  'cli-progress': /^src\/cli\//,
  zod: /^src\/settings/,
  fhirpath: /^src\/fhir\//,
  saxes: /^src\/fhir\/xml\/tokens\.ts$/,
  '@aws-sdk/client-s3': /^src\/storage\/output\/s3-/,
  '@aws-sdk/lib-storage': /^src\/storage\/output\/s3-writer\.ts$/,
  '@aws-sdk/s3-request-presigner': /^src\/storage\/output\/s3-output\.ts$/,
};

const IMPORT =
  /(?:^|\n)(?:import|export)\b[^;]*?\bfrom\s+'([^']+)'|\bimport\s*\(\s*'([^']+)'|(?:^|\n)import\s+'([^']+)'/g;

function importsOf({ text }: ProjectFile): readonly string[] {
  return [...text.matchAll(IMPORT)].map(([, from, dynamic, bare]) => from ?? dynamic ?? bare ?? '');
}

/** `src/search/run.ts` is search, `src/server.ts` is server, `interceptors/x.ts` is interceptors. */
function partOf(path: string): string {
  const [top = '', second = ''] = path.split('/');
  return top === 'src' ? second.replace(/\.ts$/, '') : top;
}

function resolved({ path }: ProjectFile, specifier: string): string {
  return posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
}

const source = projectFiles('src/**/*.ts', 'interceptors/**/*.ts', 'migrations/**/*.ts');

test('imports go down', (t) => {
  t.true(source.length > 100);
  const wrong = source.flatMap((file) => {
    const part = partOf(file.path);
    if (COMPOSERS.includes(part)) return [];
    const allowed = MAY_IMPORT[part] ?? [];
    return importsOf(file)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => resolved(file, specifier))
      .filter((target) => partOf(target) !== part && !allowed.includes(partOf(target)))
      .filter((target) => !(file.path === 'src/storage/sql/migrate.ts' && partOf(target) === 'migrations'))
      .map((target) => `${file.path} imports ${target}`);
  });
  t.deepEqual(wrong, []);
});

test('every folder and file of src stands in the layer table', (t) => {
  const parts = new Set(source.map(({ path }) => partOf(path)));
  t.deepEqual(
    [...parts].filter((part) => !COMPOSERS.includes(part) && MAY_IMPORT[part] === undefined),
    [],
  );
});

test('a dangerous package is imported in its one place only', (t) => {
  const wrong = source.flatMap((file) =>
    importsOf(file)
      .filter((specifier) => ONLY_IN[specifier] !== undefined && !ONLY_IN[specifier].test(file.path))
      .map((specifier) => `${file.path} imports ${specifier}`),
  );
  t.deepEqual(wrong, []);
});

test('what composes the server is imported by what starts or tests it only', (t) => {
  const starters = /^src\/(index|testing)\.ts$|^src\/cli\//;
  const wrong = source.flatMap((file) =>
    importsOf(file)
      .map((specifier) => resolved(file, specifier))
      .filter((target) => target === 'src/server.ts' && !starters.test(file.path))
      .map(() => file.path),
  );
  t.deepEqual(wrong, []);
});

test('the client of S3 is loaded where it is asked for, and by nobody who does not want it', (t) => {
  const loaded = source
    .filter(({ path }) => !path.startsWith('src/storage/output/s3-'))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/import (?!type)[^;]*?from '[^']*\/s3-[\w-]+\.js'/g)].map(() => path),
    );
  t.deepEqual(loaded, []);
});

test('examples use the package as its users do', (t) => {
  const wrong = projectFiles('examples/**/*.ts').flatMap((file) =>
    importsOf(file)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => resolved(file, specifier))
      .filter((target) => partOf(target) !== 'examples')
      .filter((target) => !/^(src\/(index|testing)|interceptors\/index)\.ts$/.test(target))
      .map((target) => `${file.path} imports ${target}`),
  );
  t.deepEqual(wrong, []);
});

test('the guard sees every form of import', (t) => {
  const text = [
    "import a from 'one';",
    "import {\n  b,\n} from 'two';",
    "import 'three';",
    "export { c } from 'four';",
    "const d = await import('five');",
    "import type { E } from 'six';",
  ].join('\n');
  t.deepEqual(importsOf({ path: 'x', text }), ['one', 'two', 'three', 'four', 'five', 'six']);
});
