import { NARRATIVE_END, WORD_MARK } from '../index-rows.js';

/** Positions above count as this one (https://www.postgresql.org/docs/current/textsearch-limitations.html). */
const LAST_POSITION = 16_383;
/** Weight of the narrative's words; all others have none. */
const NARRATIVE_WEIGHT = 'A';

/**
 * Marked words (see `toValueRows`) as the text of a tsvector whose lexemes still begin with the mark. Words hold
 * letters and digits only, so that nothing of them needs an escape.
 */
export function toVectorText(marked: string): string {
  const places = new Map<string, string[]>();
  const [narrative = '', content = ''] = marked.split(NARRATIVE_END);
  const begin = addPlaces(places, narrative, { from: 1, weight: NARRATIVE_WEIGHT });
  addPlaces(places, content, { from: begin + 1, weight: '' });
  const lexemes = [...places].map(([word, found]) => `'${word}':${found.join()}`);
  return lexemes.join(' ');
}

/** Answers the position behind the last word. */
function addPlaces(
  places: Map<string, string[]>,
  words: string,
  { from, weight }: { readonly from: number; readonly weight: string },
): number {
  if (words === '') return from;
  let position = from;
  for (const word of words.split(' ')) {
    if (word !== WORD_MARK) {
      const place = `${Math.min(position, LAST_POSITION)}${weight}`;
      const known = places.get(word);
      if (known) known.push(place);
      else places.set(word, [place]);
    }
    position++;
  }
  return position;
}
