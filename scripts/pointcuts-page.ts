import { readFile, writeFile } from 'node:fs/promises';
import { POINTCUTS } from '../src/hooks/pointcut-manual.js';
import type { AnyDefinition } from '../src/hooks/pointcut-definition.js';

/** The page that `writePointcutsPage` writes. */
export const POINTCUTS_PAGE = 'docs/pointcuts.md';

const TYPES = 'src/hooks/pointcuts.ts';
const GROUPS = [
  ['The framework', /^INTERCEPTOR_/],
  ['Partitions', /^STORAGE_PARTITION_/],
  ['Requests and responses', /^SERVER_/],
  ['Storage', /^STORAGE_|^VALIDATION_/],
] as const;

const INTRODUCTION = `# Pointcuts

The names are HAPI FHIR's. A hook gets one frozen event object; it may be asynchronous. What an answer means follows from the pointcut's mode:

- **observe**: nothing is answered.
- **veto**: a throw refuses. Where a hook may answer \`false\`, that means "I have written the response myself".
- **decide**: the first answer that is not \`undefined\` counts.
- **transform**: an answer replaces \`value\`, which the next hook sees; \`undefined\` leaves it.

In the types below, \`RequestEvent\` has the \`request\`, \`ResourceEvent\` also the \`resource\`, \`CommitEvent\` also its \`partition\`, \`HttpEvent\` the \`request\` and a \`response\` to write, and \`FailureEvent\` a \`request\` that may be missing.

Lower \`order\` runs first, 0 if left out; ties run in the order of registration. [Coming from HAPI](coming-from-hapi.md) tells what differs.

<!-- Made by \`npm run docs:pointcuts\` from the manual and the types in src/hooks; a test holds them equal. -->
`;

/** docs/pointcuts.md: the manual of every built-in pointcut, with its type as it is declared. */
export async function pointcutsPage(): Promise<string> {
  const types = declaredTypes(await readFile(TYPES, 'utf8'));
  const left = new Map<string, AnyDefinition>(Object.entries(POINTCUTS));
  const groups = GROUPS.map(([title, names]) => {
    const members = [...left].filter(([name]) => names.test(name));
    for (const [name] of members) left.delete(name);
    const sections = members.map(([name, definition]) => section(name, definition, types.get(name) ?? ''));
    return `\n## ${title}\n\n${sections.join('\n')}`;
  });
  return INTRODUCTION + groups.join('');
}

/** Writes the page. */
export async function writePointcutsPage(): Promise<void> {
  await writeFile(POINTCUTS_PAGE, await pointcutsPage());
}

function section(name: string, { mode, manual }: AnyDefinition, type: string): string {
  return `### ${name}\n\n**${mode}**: ${manual}\n\n\`\`\`ts\n${type}\n\`\`\`\n`;
}

/** The members of `BuiltInPointcuts` as they are written, by name. */
function declaredTypes(source: string): ReadonlyMap<string, string> {
  const body = /export interface BuiltInPointcuts \{\n(.*?)\n\}\n/s.exec(source)?.[1] ?? '';
  const members = [...body.matchAll(/^ {2}([A-Z_]+): (.*?;)$(?=\n {2}[A-Z]|\n\n|(?![\s\S]))/gms)];
  return new Map(members.map(([whole, name = '']) => [name, whole.replaceAll(/^ {2}/gm, '')]));
}

if (process.argv[1] === import.meta.filename) await writePointcutsPage();
