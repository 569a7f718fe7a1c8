import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { packageRoot } from '../../src/fhir/definitions.js';
import { codeOf, projectFiles } from './project.js';

const run = promisify(execFile);

interface Finding {
  readonly code: string;
  readonly filename: string;
  readonly message: string;
}

/** What the linter says with the limits of `sizes.json`. */
async function findings(...paths: readonly string[]): Promise<readonly string[]> {
  const root = packageRoot();
  const linter = join(root, 'node_modules', 'oxlint', 'bin', 'oxlint');
  const options = ['--config', join(root, 'test', 'guards', 'sizes.json'), '--format', 'json'];
  const { stdout } = await run(process.execPath, [linter, ...options, ...paths], {
    cwd: root,
    maxBuffer: 2 ** 24,
  }).catch((failure: { readonly stdout: string }) => failure);
  const { diagnostics } = JSON.parse(stdout) as { readonly diagnostics: readonly Finding[] };
  return diagnostics.map(({ filename, message }) => `${filename}: ${message}`);
}

test('files have 300 lines of code at most, functions 60 lines and 4 parameters', async (t) => {
  t.deepEqual(
    await findings('src', 'interceptors', 'migrations', 'scripts', 'examples', 'bench', 'test'),
    [],
  );
});

test('exported functions take no booleans, whose meaning is lost where they are called', (t) => {
  const wrong = projectFiles('src/**/*.ts', 'interceptors/**/*.ts').flatMap(({ path, text }) => {
    const signatures = codeOf(text).matchAll(/\nexport (?:async )?function (\w+)[^(]*\(([^)]*)\)/g);
    return [...signatures].flatMap(([, name, parameters]) =>
      /(^|,)\s*\w+\??:\s*boolean\b/.test(parameters ?? '') ? [`${path}: ${name}`] : [],
    );
  });
  t.deepEqual(wrong, []);
});
