import test from 'ava';
import { RequestHeaders } from '../../src/http/request-headers.js';

function headersOf(...sent: readonly (readonly [string, string])[]): RequestHeaders {
  const headers: NodeJS.Dict<string> = {};
  for (const [name, value] of sent) headers[name.toLowerCase()] ??= value;
  return new RequestHeaders({ headers, rawHeaders: sent.flat() });
}

test('a header that was sent twice has two values', (t) => {
  const headers = headersOf(['If-Match', 'W/"1"'], ['Accept', '*/*'], ['if-match', 'W/"2"']);
  t.deepEqual(headers.get('if-match'), ['W/"1"', 'W/"2"']);
  t.deepEqual([...headers], [...headers.entries()]);
  t.deepEqual([...headers.keys()], ['if-match', 'accept']);
  t.deepEqual([...headers.values()], [['W/"1"', 'W/"2"'], ['*/*']]);
  t.is(headers.size, 2);
});

test('a header that was not sent has none, whatever it is called', (t) => {
  const headers = headersOf(['Accept', '*/*']);
  for (const name of ['prefer', 'constructor', '__proto__']) {
    t.false(headers.has(name));
    t.is(headers.get(name), undefined);
  }
});
