import test from 'ava';
import type { FhirResource } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { type Bundle, matchesOf, pagesOf } from './pages.js';

/** Random resources and questions over few words, judged by what words mean, not by an index. */

const VOCABULARY = ['bone', 'bones', 'liver', 'live', 'scan', 'ünder', 'x1', '京'];
const TENANTS = ['acme', 'other'] as const;
const RESOURCES = 40;
const QUESTIONS = 120;

/** The same numbers in every run. */
let seed = 7;
function random(below: number): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
}

const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)]!;
const someWords = (most: number): string[] =>
  Array.from({ length: random(most + 1) }, () => pick(VOCABULARY));

interface Kept {
  readonly id: string;
  readonly narrative: readonly string[];
  readonly notes: readonly (readonly string[])[];
}

function makeKept(id: string): Kept {
  return { id, narrative: someWords(6), notes: [someWords(4), someWords(4)] };
}

function toResource({ id, narrative, notes }: Kept): FhirResource {
  const div = `<div xmlns="http://www.w3.org/1999/xhtml"><p>${narrative.join(' ')}.</p></div>`;
  return {
    resourceType: 'Basic',
    id,
    code: { coding: [{ code: 'unread' }] },
    text: { status: 'generated', div },
    extension: notes.map((note) => ({ url: 'urn:note', valueString: note.join(' ') || '-' })),
  } as FhirResource;
}

/** What a question is, and whether lists of words fit it. */
interface Question {
  readonly text: string;
  readonly fits: (elements: readonly (readonly string[])[]) => boolean;
}

const fold = (word: string): string => word.replace('ü', 'u');

function term(): Question {
  const words = random(3) === 0 ? [pick(VOCABULARY), pick(VOCABULARY)] : [pick(VOCABULARY)];
  const prefix = random(4) === 0;
  const last = words.length - 1;
  const isAt = (element: readonly string[], at: number): boolean =>
    words.every((word, n) => {
      const found = fold(element[at + n] ?? '');
      return prefix && n === last ? found.startsWith(fold(word)) : found === fold(word);
    });
  const body = `${words.join(' ')}${prefix ? '*' : ''}`;
  return {
    text: words.length > 1 ? `"${body}"` : body,
    fits: (elements) => elements.some((element) => element.some((_, at) => isAt(element, at))),
  };
}

function question(depth: number): Question {
  if (depth === 0 || random(3) === 0) return term();
  const [one, other] = [question(depth - 1), question(depth - 1)];
  switch (random(3)) {
    case 0:
      return { text: `(${one.text} or ${other.text})`, fits: (of) => one.fits(of) || other.fits(of) };
    case 1:
      return { text: `(${one.text} ${other.text})`, fits: (of) => one.fits(of) && other.fits(of) };
    default:
      return { text: `(${one.text} -${other.text})`, fits: (of) => one.fits(of) && !other.fits(of) };
  }
}

test('random questions find what their words mean, in order and over pages, while others write', async (t) => {
  const server = await createTestServer({ partitions: [...TENANTS], settings: { fullText: 'on' } });
  t.teardown(() => server.stop());
  const root = new FhirClient(server.url);
  const kept = new Map<string, readonly Kept[]>();
  for (const tenant of TENANTS) {
    const own = Array.from({ length: RESOURCES }, (_, n) => makeKept(`r${n}`));
    kept.set(tenant, own);
    const entry = own.map((one) => ({
      resource: toResource(one),
      request: { method: 'PUT', url: `Basic/${one.id}` },
    }));
    const { body } = await root
      .tenant(tenant)
      .post<Bundle>('', { resourceType: 'Bundle', type: 'batch', entry });
    t.true(body.entry?.every(({ response }) => response?.status.startsWith('201')));
  }
  for (let n = 0; n < QUESTIONS; n++) {
    const tenant = TENANTS[n % 2]!;
    const { text, fits } = question(3);
    const isNarrative = random(2) === 0;
    const expected = (kept.get(tenant) ?? []).filter(({ narrative, notes }) =>
      fits(isNarrative ? [narrative] : [narrative, ...notes]),
    );
    const count = 1 + random(9);
    const search = `Basic?${isNarrative ? '_text' : '_content'}=${encodeURIComponent(text)}&_count=${count}`;
    const client = root.tenant(tenant);
    // What nobody asks for, in the same partition and the one beside, changes no page.
    const writes = TENANTS.map((name) =>
      root.tenant(name).put(`Basic/w${n}`, toResource({ id: `w${n}`, narrative: ['else'], notes: [] })),
    );
    const pages = await pagesOf(client, search);
    await Promise.all(writes);
    const found = matchesOf(pages).map(({ id = '' }) => id);
    t.deepEqual(found.toSorted(), expected.map(({ id }) => id).toSorted(), `${tenant}: ${search} (${text})`);
    const scores = pages.flatMap(({ entry = [] }) => entry.map(({ search: how }) => how?.score ?? -1));
    t.deepEqual(
      scores,
      scores.toSorted((a, b) => b - a),
      text,
    );
  }
});
