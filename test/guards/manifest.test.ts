import test from 'ava';
import { readProjectFile } from './project.js';

const manifest = JSON.parse(readProjectFile('package.json')) as {
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

const lock = JSON.parse(readProjectFile('package-lock.json')) as {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly resolved?: string }>>;
};

const wanted = { ...manifest.dependencies, ...manifest.devDependencies };

test('every dependency has one exact version', (t) => {
  const loose = Object.entries(wanted).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version));
  t.deepEqual(loose, []);
});

test('the lock file holds the versions that the manifest names', (t) => {
  const different = Object.entries(wanted).filter(
    ([name, version]) => lock.packages[`node_modules/${name}`]?.version !== version,
  );
  t.deepEqual(different, []);
});

test('the lock file names no place but the public registry', (t) => {
  const places = Object.values(lock.packages).flatMap(({ resolved }) => resolved ?? []);
  t.deepEqual(
    places.filter((url) => !url.startsWith('https://registry.npmjs.org/')),
    [],
  );
});
