import { globSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { packageRoot } from '../../src/fhir/definitions.js';

/** A source file of the project: its path from the root, with slashes, and its text. */
export interface ProjectFile {
  readonly path: string;
  readonly text: string;
}

/** Every file that a pattern names, such as `src/**\/*.ts`, sorted by path. */
export function projectFiles(...patterns: readonly string[]): readonly ProjectFile[] {
  const root = packageRoot();
  return globSync([...patterns], { cwd: root })
    .map((path) => path.split(sep).join('/'))
    .toSorted()
    .map((path) => ({ path, text: readProjectFile(path) }));
}

export function readProjectFile(path: string): string {
  return readFileSync(join(packageRoot(), path), 'utf8');
}

/** The text without comments, and with every string literal empty: what is left is code. */
export function codeOf(text: string): string {
  const literalOrComment = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g;
  return text.replaceAll(literalOrComment, (found) => (found.startsWith('/') ? '' : "''"));
}
