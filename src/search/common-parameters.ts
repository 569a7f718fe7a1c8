/** A parameter that searches of every type take, beside those that their resources are found by. */
export interface CommonParameter {
  readonly name: string;
  /** What it asks for, in a sentence. */
  readonly documentation: string;
}

/** https://hl7.org/fhir/R4/search.html#table; what is 400 whatever its value is not among them. */
export const COMMON_PARAMETERS: readonly CommonParameter[] = [
  { name: '_filter', documentation: 'An expression of the filter grammar, which must hold.' },
  {
    name: '_has',
    documentation: 'Resources that are referred to by such with a value: _has:Type:reference:parameter.',
  },
  { name: '_list', documentation: 'What the items of a List refer to, by the id of the List.' },
  { name: '_type', documentation: 'Types that are searched, where the URL names none.' },
  {
    name: '_include',
    documentation: 'References whose targets come with the matches; :iterate goes on from there.',
  },
  {
    name: '_revinclude',
    documentation: 'References to matches, whose holders come with them; :iterate goes on from there.',
  },
  { name: '_sort', documentation: 'Up to ten parameters to sort by, "-" before one for descending.' },
  { name: '_count', documentation: 'Matches of one page; 0 asks for the total alone.' },
  { name: '_total', documentation: 'none, estimate or accurate.' },
  { name: '_summary', documentation: 'true, text, data, count or false.' },
  { name: '_elements', documentation: 'Elements to return, besides those that are mandatory.' },
  { name: '_contained', documentation: 'Whether contained resources are found too (both), or alone (true).' },
  { name: '_containedType', documentation: 'What comes of contained resources: container or contained.' },
];
