import test from 'ava';
import { checkSync } from 'recheck';
import { type PatternLiteral, patternLiterals } from './pattern-literals.js';
import { projectFiles } from './project.js';

const SOURCES = projectFiles('{src,interceptors}/**/*.ts');

/** A bound this large tells a checker little, and costs it a lot. */
const LARGE_BOUND = /\{(\d+),(\d{2,})\}/g;

/** Most candidates that the search for slow input goes through, for expressions that automata are too large for. */
const PARAMETERS = { timeout: 20_000, maxIteration: 4, incubationTimeout: 200 } as const;

/** One word of several. Where nothing repeats a group, the others make no more than a constant difference. */
const WORDS = /\((\?:)?(\w+)(?:\|\w+)+\)/g;
const REPEATED_GROUP = /\)[*+{]/;

/** Why the expression may take more than linear time; undefined where it can't. */
function complaint(source: string, flags: string): string | undefined {
  // What is linear without bounds is so with them; where it isn't, the bounds have to be looked at.
  const single = REPEATED_GROUP.test(source) ? source : source.replaceAll(WORDS, '($1$2)');
  const unbounded = single.replaceAll(LARGE_BOUND, '{$1,}');
  if (checkSync(unbounded, flags, PARAMETERS).status === 'safe') return undefined;
  const verdict = checkSync(source, flags, PARAMETERS);
  if (verdict.status === 'safe') return undefined;
  return verdict.status === 'vulnerable' ? verdict.complexity.summary : 'not known to be linear';
}

test('the finder of literals tells an expression from a division, a comment, a string and a template', (t) => {
  const text = [
    'const a = 1 / 2 / 3; // /no/',
    'const b = \'/no/\' + "/no/"; /* /no/ */',
    'if (/a[/]b\\//gi.test(x)) return /c/;',
    'const d = `/no/${x.replace(/e/, `${/f/u.source}`)}/no/`;',
  ].join('\n');
  const found = patternLiterals(text).map(({ source, flags, line }) => `${line}: ${source} ${flags}`.trim());
  t.deepEqual(found, ['3: a[/]b\\/ gi', '3: c', '4: e', '4: f u']);
});

test('the checker knows what is not linear', (t) => {
  t.regex(complaint('^(a+)+$', '') ?? '', /exponential/);
  t.regex(complaint('\\/+$', '') ?? '', /polynomial/);
  t.is(complaint('^(?:[a-z]{1,64}\\/)?[a-z]{1,64}$', ''), undefined);
});

test('attack 95: every regular expression of the source takes linear time', (t) => {
  t.timeout(600_000);
  const known = new Map<string, string | undefined>();
  const judge = ({ source, flags }: PatternLiteral): string | undefined => {
    const key = `/${source}/${flags}`;
    if (!known.has(key)) known.set(key, complaint(source, flags));
    return known.get(key);
  };
  const slow = SOURCES.flatMap(({ path, text }) =>
    patternLiterals(text).flatMap((literal) => {
      const found = judge(literal);
      return found === undefined
        ? []
        : [`${path}:${literal.line}: /${literal.source}/${literal.flags} ${found}`];
    }),
  );
  t.true(known.size > 100);
  t.deepEqual(slow, []);
});

test('attack 95: regular expressions that are put together take linear time', async (t) => {
  t.timeout(600_000);
  const made: RegExp[] = [];
  const original = globalThis.RegExp;
  class Recorded extends original {
    constructor(pattern: RegExp | string, flags?: string) {
      super(pattern, flags);
      made.push(this);
    }
  }
  const makers = SOURCES.filter(({ text }) => text.includes('new RegExp('));
  globalThis.RegExp = Recorded as unknown as RegExpConstructor;
  try {
    for (const { path } of makers) await import(`../../${path.replace(/\.ts$/, '.js')}`);
  } finally {
    globalThis.RegExp = original;
  }
  const own = made.filter(({ source }) => !source.includes('node_modules'));
  t.true(own.length > 10);
  const slow = [...new Set(own.map(String))].flatMap((text) => {
    const end = text.lastIndexOf('/');
    const found = complaint(text.slice(1, end), text.slice(end + 1));
    return found === undefined ? [] : [`${text} ${found}`];
  });
  t.deepEqual(slow, []);
});
