import test from 'ava';
import { codeOf, projectFiles } from './project.js';

const everything = projectFiles(
  '{src,interceptors,migrations,examples,test,bench,scripts}/**/*.ts',
  '*.md',
  'docs/**/*.md',
  'src/**/*.md',
).filter(({ path }) => path !== 'test/guards/words.test.ts');

/** Lines that hold what a pattern finds, as `path:line`. */
function linesWith(pattern: RegExp, textOf: (text: string) => string = (text) => text): readonly string[] {
  return everything.flatMap(({ path, text }) =>
    textOf(text)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
}

test('nothing is left unfinished', (t) => {
  t.deepEqual(linesWith(/\b(TODO|FIXME|XXX|HACK|WIP|TBD)\b/), []);
});

test('the compiler is never silenced', (t) => {
  t.deepEqual(linesWith(/@ts-(ignore|nocheck)\b/), []);
});

test('no error is swallowed by an empty catch', (t) => {
  t.deepEqual(linesWith(/catch(\s*\([^)]*\))?\s*\{\s*\}/, codeOf), []);
});

test('nothing is printed but by the command line and scripts', (t) => {
  const printing = linesWith(/\bconsole\.\w+\(/, codeOf);
  t.deepEqual(
    printing.filter((line) => /^(src|interceptors|migrations)\//.test(line) && !line.startsWith('src/cli/')),
    [],
  );
});

test('no module has a default export but what tools and users load as one', (t) => {
  const exported = linesWith(/^export default\b/, codeOf);
  t.deepEqual(
    exported.filter((line) => /^(src|interceptors|migrations)\//.test(line)),
    [],
  );
});

test('no name tells nothing', (t) => {
  const empty = /(^|-)(base|impl|manager|helper|helpers|util|utils|service)\.ts$/;
  t.deepEqual(
    everything.map(({ path }) => path).filter((path) => empty.test(path)),
    [],
  );
});

test('file names are kebab-case', (t) => {
  const kebab = /^[a-z0-9]+([-.][a-z0-9]+)*$/;
  const wrong = everything
    .map(({ path }) => path)
    .filter((path) => path.endsWith('.ts') && !path.split('/').every((part) => kebab.test(part)));
  t.deepEqual(wrong, []);
});
