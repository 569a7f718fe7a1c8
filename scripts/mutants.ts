/** A program with one small change. */
export interface Mutant {
  /** From one, in the compiled file. */
  readonly line: number;
  /** What was there, and what is there now. */
  readonly change: string;
  readonly text: string;
}

/** A pattern in code, and what it becomes. */
type Operator = readonly [pattern: RegExp, replacement: string];

const IN_ROUND = String.raw`\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)`;
/** What stands behind `??`: without what closes around it, or follows it in a list. */
const FALLBACK = new RegExp(String.raw` \?\? (?:[^()[\]{},;]|${IN_ROUND}|\[[^[\]]*\]|\{[^{}]*\})+`, 'g');

const OPERATORS: readonly Operator[] = [
  [/ === /g, ' !== '],
  [/ !== /g, ' === '],
  [/ && /g, ' || '],
  [/ \|\| /g, ' && '],
  [FALLBACK, ''],
  [/ > /g, ' >= '],
  [/ < /g, ' <= '],
  [/ <= /g, ' < '],
  [/ >= /g, ' > '],
  [/\btrue\b/g, 'false'],
  [/\bfalse\b/g, 'true'],
  [/(?<=[(\s])!(?=[\w(])/g, ''],
  [/\.every\(/g, '.some('],
  [/\.some\(/g, '.every('],
  [/(?<=\bif \()(?=.+\)( \{)?$)/g, 'true || '],
  [/(?<=\bif \()(?=.+\)( \{)?$)/g, 'false && '],
  [/^(\s*)throw .+;$/g, '$1;'],
  [/(?<=\breturn )(?!undefined;|false;|brand|\{$|new ).+(?=;$)/g, 'undefined'],
  [/(?<=[\s(])\d+(?=[\s;,)])/g, '7'],
  [/ \+ /g, ' - '],
  [/ - /g, ' + '],
  [/^(\s*)(this\.\w+\.set\(.+\)|\w+\.\w+\.set\(.+\));$/g, '$1;'],
];

/** Every mutant of a compiled file. Comments, imports and texts stay as they are. */
export function mutantsOf(source: string): readonly Mutant[] {
  const lines = source.split('\n');
  let inComment = false;
  return lines.flatMap((line, index) => {
    const trimmed = line.trim();
    if (trimmed.startsWith('/*')) inComment = true;
    const isCode = !inComment && !/^(\/\/|import |export \{|export \* )/.test(trimmed);
    if (trimmed.endsWith('*/')) inComment = false;
    if (!isCode) return [];
    return changesOf(line).map((changed) => ({
      line: index + 1,
      change: `${trimmed}  →  ${changed.trim()}`,
      text: [...lines.slice(0, index), changed, ...lines.slice(index + 1)].join('\n'),
    }));
  });
}

/** One for each place that an operator finds, but for those in texts. */
function changesOf(line: string): readonly string[] {
  const masked = line.replace(/'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\/.*$/g, (text) =>
    '\u0001'.repeat(text.length),
  );
  const found = OPERATORS.flatMap(([pattern, replacement]) =>
    [...masked.matchAll(pattern)].map((match) => {
      const text = line.slice(match.index, match.index + match[0].length);
      const put = replacement.replace('$1', match[1] ?? '');
      return {
        text,
        put,
        changed: line.slice(0, match.index) + put + line.slice(match.index + match[0].length),
      };
    }),
  );
  return [...new Set(found.filter(({ text, put }) => text !== put).map(({ changed }) => changed))];
}
