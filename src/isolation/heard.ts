/** An answer, as far as somebody can learn from it. */
export interface Heard {
  readonly status: number;
  /** Pairs of name and value; names in lower case. */
  readonly headers: Iterable<readonly [name: string, value: string]>;
  readonly text: string;
}

/** What two answers may be compared by. */
export interface Visible {
  readonly status: number;
  readonly headers: readonly string[];
  readonly text: string;
}

/** Headers that differ from one request to the next, or say nothing but the time. */
const VOLATILE = new Set(['date', 'age', 'x-request-id', 'keep-alive', 'connection', 'last-modified']);

const INSTANT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g;
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Everything that a client sees of an answer, with the id replaced and without what every answer has anew. */
export function visible({ status, headers, text }: Heard, id: string): Visible {
  const kept = [...headers].filter(([name]) => !VOLATILE.has(name));
  const replaced = (value: string): string =>
    value.replaceAll(id, '<id>').replaceAll(INSTANT, '<instant>').replaceAll(UUID, '<uuid>');
  return {
    status,
    headers: kept.map(([name, value]) => `${name}: ${replaced(value)}`),
    text: replaced(text),
  };
}

/** In what the one differs from the other, for people; undefined where it does not. */
export function differenceOf(one: Visible, other: Visible): string | undefined {
  if (one.status !== other.status) return `${one.status}, but ${other.status} for an id that nobody has`;
  const header = strangersIn(one.headers, other.headers)[0] ?? strangersIn(other.headers, one.headers)[0];
  if (header !== undefined) return `${one.status} with another header: ${shortened(header)}`;
  if (one.text === other.text) return undefined;
  const start = [...one.text].findIndex((letter, place) => letter !== other.text[place]);
  return `${one.status} with another text: ${shortened(one.text.slice(Math.max(0, start - 10)))}`;
}

function strangersIn(some: readonly string[], others: readonly string[]): readonly string[] {
  return some.filter((one) => !others.includes(one));
}

const SHOWN_CHARACTERS = 60;

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line;
}

/** Whether a word, in any case or in base64, stands in an answer's headers or body. */
export function isToldIn({ headers, text }: Heard, word: string): boolean {
  const whole = `${[...headers].flat().join('\n')}\n${text}`;
  return (
    whole.toLowerCase().includes(word.toLowerCase()) || packed(word).some((form) => whole.includes(form))
  );
}

/** How base64 writes a word, which depends on where it begins, without the letters that its neighbours share. */
function packed(word: string): readonly string[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.from(' '.repeat(before) + word)
      .toString('base64')
      .replaceAll('=', '');
    return text.slice(before === 0 ? 0 : before + 1, -1);
  });
}

/** The first value of a header, whose name is in lower case. */
export function headerOf({ headers }: Heard, wanted: string): string | undefined {
  for (const [name, value] of headers) if (name === wanted) return value;
  return undefined;
}
