import { bytes, integer, setting } from './kinds.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const milliseconds = integer(1, DAY_MS);
const count = integer(1, 1_000_000);

/** What clients may ask of a server: docs/hardening.md tells what each of these keeps away. */
export const LIMITS = {
  maxBodyBytes: setting(bytes(), 32 * 2 ** 20, 'Largest JSON or XML body, also once it is unpacked.'),
  maxBinaryBytes: setting(bytes(), 2 ** 30, 'Largest raw Binary.'),
  maxBodiesBytes: setting(
    bytes(),
    256 * 2 ** 20,
    'Most bytes of all JSON bodies that are being served at once; whoever sends more is told to come again (503).',
  ),
  maxCompressionRatio: setting(
    integer(2, 2_000),
    200,
    'How many times its size a gzip body may have once it is unpacked.',
  ),
  maxJsonDepth: setting(integer(8, 512), 64, 'Deepest nesting of a body, counted as JSON.'),
  maxJsonValues: setting(
    integer(1_000, 100_000_000),
    4_000_000,
    'Most members and items of a JSON body, all objects and arrays together, and most elements of an XML body.',
  ),
  maxJsonMembers: setting(count, 2000, 'Most members of one JSON object.'),
  maxJsonKeyLength: setting(count, 256, 'Longest name of a JSON member, in characters.'),
  maxJsonNumberLength: setting(integer(20, 100_000), 1000, 'Longest number of a body, in characters.'),
  maxBundleEntries: setting(count, 5000, 'Most entries of a batch or transaction.'),
  maxPatchOperations: setting(count, 1000, 'Most operations of one patch.'),
  defaultPageSize: setting(count, 20, 'Entries of a page where `_count` is left out.'),
  maxPageSize: setting(count, 1000, 'Most entries of a page, whatever `_count` says.'),
  maxSearchParameters: setting(count, 50, 'Most parameters of one search.'),
  maxSearchValues: setting(count, 500, 'Most comma-separated values of one search parameter.'),
  maxChainDepth: setting(integer(1, 20), 5, 'Most references that one chain, or one `_has`, follows.'),
  maxIncludes: setting(count, 1000, 'Most included resources of one page.'),
  searchTimeoutMs: setting(milliseconds, 30_000, 'Longest time for one search.'),
  maxConnections: setting(
    integer(1, 1_000_000),
    10_000,
    'Most connections that are open at once; one more is closed at once.',
  ),
  maxConnectionsPerAddress: setting(
    integer(0, 1_000_000),
    0,
    'The same for one address of clients; 0: no such limit, as behind a proxy, whose address all clients have.',
  ),
  maxRequestsPerConnection: setting(
    integer(0, 1_000_000_000),
    0,
    'A connection is closed after so many requests; 0: it may go on.',
  ),
  maxPipelinedRequests: setting(
    integer(1, 1_000),
    16,
    'Most requests of one connection that may wait for the answers to those before them.',
  ),
  maxHeaderBytes: setting(
    integer(2_048, 2 ** 20),
    16 * 2 ** 10,
    'Largest head of a request in bytes: URL and headers together.',
  ),
  maxHeaders: setting(integer(10, 10_000), 200, 'Most headers of a request.'),
  headersTimeoutMs: setting(
    milliseconds,
    10_000,
    'Longest time that the head of a request may take to arrive, and a new connection to send one.',
  ),
  stallTimeoutMs: setting(
    milliseconds,
    20_000,
    'A client that sends nothing more of its body, or takes nothing more of its answer, for this long is cut off.',
  ),
  requestTimeoutMs: setting(
    milliseconds,
    120_000,
    'Longest time that a request may take to arrive, body and all.',
  ),
  shutdownGraceMs: setting(milliseconds, 10_000, 'Time that requests in flight get when the server stops.'),
} as const;
