import test from 'ava';
import { FhirError } from '../../src/model/errors.js';
import { assertPageFits } from '../../src/search/bundle.js';

test('a page whose resources are too large together is refused with what to do', (t) => {
  const large = 'x'.repeat(32 * 2 ** 20);
  t.notThrows(() => assertPageFits(Array.from({ length: 8 }, () => large)));
  const error = t.throws(() => assertPageFits(Array.from({ length: 9 }, () => large)), {
    instanceOf: FhirError,
  });
  t.is((error as FhirError).code, 'LIMIT_EXCEEDED');
  t.regex(error.message, /smaller _count/);
});
