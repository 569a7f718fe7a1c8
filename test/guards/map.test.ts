import test from 'ava';
import { projectFiles, readProjectFile } from './project.js';

const map = readProjectFile('src/README.md');

test('the map of src names every folder and file at its top, and no other', (t) => {
  const [, drawn = ''] = /## Map\n\n```\n([\s\S]*?)```/.exec(map) ?? [];
  const named = drawn
    .split('\n')
    .flatMap((line) => line.slice(0, 24).split(/,\s*/))
    .map((name) => name.trim())
    .filter(Boolean);
  const present = projectFiles('src/**/*.ts').map(({ path }) => path.split('/').slice(1));
  const top = new Set(present.map(([first = '', ...rest]) => (rest.length === 0 ? first : `${first}/`)));
  t.deepEqual(named.toSorted(), [...top].toSorted());
});

test('every file that the map leads to exists', (t) => {
  const files = new Set(projectFiles('{src,test,interceptors}/**/*.ts').map(({ path }) => path));
  const named = [...map.matchAll(/`([\w-]+(?:\/[\w.-]+)*\.ts)`/g)].map(([, path = '']) => path);
  t.true(named.length > 10);
  const lost = named.filter((path) => ![...files].some((file) => file === path || file.endsWith(`/${path}`)));
  t.deepEqual(lost, []);
});

test('every decision has a date, a context, a decision and consequences', (t) => {
  const decisions = map.split(/\n### /).slice(1);
  t.true(decisions.length >= 7);
  for (const decision of decisions) {
    t.regex(
      decision,
      /^\d{4}-\d\d-\d\d \S.*\n\n- \*\*Context\.\*\* .+\n- \*\*Decision\.\*\* .+\n- \*\*Consequences\.\*\* .+/,
    );
  }
});
