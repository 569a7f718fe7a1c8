import test from 'ava';
import { Pointcut, POINTCUTS } from '../../src/hooks/pointcut-manual.js';

for (const [name, { mode, manual }] of Object.entries(POINTCUTS)) {
  test(`${name} has a manual that tells when it fires and what an answer and a throw do`, (t) => {
    t.regex(manual, /^Fires /);
    t.regex(manual, /\bthrow\b/i);
    t.regex(manual, mode === 'observe' ? /Nothing is answered/ : /\b[Aa]nswer/);
  });
}

test('every pointcut is a constant of its own name', (t) => {
  t.deepEqual(Object.keys(Pointcut), Object.keys(POINTCUTS));
  t.true(Object.entries(Pointcut).every(([name, value]) => name === value));
});
