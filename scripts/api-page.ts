import { readFile, writeFile } from 'node:fs/promises';
import { posix } from 'node:path';

/** The page that `writeApiPage` writes. */
export const API_PAGE = 'docs/api.md';

/** Something that users may import. */
export interface PublicExport {
  readonly name: string;
  /** The module that declares it. */
  readonly module: string;
  /** Its doc comment; empty where it has none. */
  readonly doc: string;
}

const ENTRIES = [
  ['bulkhead-fhir', 'src/index.ts', 'The framework.'],
  [
    'bulkhead-fhir/interceptors',
    'interceptors/index.ts',
    'The shipped interceptors, made of the framework alone.',
  ],
  ['bulkhead-fhir/testing', 'src/testing.ts', 'For tests of your own interceptors.'],
] as const;

const INTRODUCTION = `# API

Everything that may be imported. What is not listed here may change in any release.

<!-- Made by \`npm run docs:api\` from the entry points and their doc comments; a test holds them equal. -->
`;

/** docs/api.md: every public name, by entry point, with the first sentence of its doc comment. */
export async function apiPage(): Promise<string> {
  const sections = ENTRIES.map(async ([specifier, entry, about]) => {
    const rows = (await publicExports(entry)).map(
      ({ name, doc }) => `| \`${name}\` | ${firstSentence(doc)} |`,
    );
    return `\n## ${specifier}\n\n${about}\n\n| name | what |\n| --- | --- |\n${rows.join('\n')}\n`;
  });
  return INTRODUCTION + (await Promise.all(sections)).join('');
}

/** Writes the page. */
export async function writeApiPage(): Promise<void> {
  await writeFile(API_PAGE, await apiPage());
}

/** Every entry point's public names. */
export async function allPublicExports(): Promise<readonly PublicExport[]> {
  return (await Promise.all(ENTRIES.map(([, entry]) => publicExports(entry)))).flat();
}

/** What an entry point declares itself or gives on, by name. */
async function publicExports(entry: string): Promise<readonly PublicExport[]> {
  const text = await readFile(entry, 'utf8');
  const own = [...declarations(text)].map(([name, doc]) => ({ name, module: entry, doc }));
  const given = await Promise.all(
    [...text.matchAll(/^export (?:type )?\{([^}]*)\} from '([^']+)';/gm)].map(([, names = '', from = '']) =>
      givenOn(posix.join(posix.dirname(entry), from.replace(/\.js$/, '.ts')), names),
    ),
  );
  return [...own, ...given.flat()].toSorted((a, b) => a.name.localeCompare(b.name, 'en'));
}

async function givenOn(module: string, names: string): Promise<readonly PublicExport[]> {
  const declared = declarations(await readFile(module, 'utf8'));
  const listed = names.split(',').map((name) => name.trim().replace(/^type /, ''));
  const own = (name: string): PublicExport => ({ name, module, doc: declared.get(name) ?? '' });
  if (listed.every((name) => name === '' || declared.has(name))) return listed.filter(Boolean).map(own);
  // An entry point may give on what another one does.
  const given = new Map((await publicExports(module)).map((one) => [one.name, one]));
  return listed.filter(Boolean).map((name) => given.get(name) ?? own(name));
}

/** The exported declarations of a module, with their doc comments. */
function declarations(text: string): ReadonlyMap<string, string> {
  const declaration =
    /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n)?^export (?:async |abstract )*(?:function|class|const|interface|type) (\w+)/gm;
  const found = new Map<string, string>();
  for (const [, comment = '', name = ''] of text.matchAll(declaration)) {
    const doc = comment.replaceAll(/\n\s*\* ?/g, '\n').trim();
    if (doc !== '' || !found.has(name)) found.set(name, doc);
  }
  return found;
}

function firstSentence(doc: string): string {
  const [paragraph = ''] = doc.split(/\n\n|\n@|```/);
  const text = paragraph.replaceAll(/\s+/g, ' ').trim();
  return (/^.*?[.:;](?= [A-Z`]|$)/.exec(text)?.[0] ?? text).replace(/[:;]$/, '.').replaceAll('|', '\\|');
}

if (process.argv[1] === import.meta.filename) await writeApiPage();
