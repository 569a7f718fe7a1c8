import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';

const execute = promisify(execFile);

const START = 'npm ci && npm start\n';
const TEST = 'npm ci && npm test\n';

interface Block {
  readonly language: string;
  readonly text: string;
}

/** What the tour's commands print, each found by a part of the block. */
const PRINTED: readonly (readonly [part: string, ...printed: readonly RegExp[]])[] = [
  ['-create-partition', /"valueCode":"acme"/, /"valueCode":"beta"/],
  ['load docs/sample-data', /^Loaded 13 resources of 4 files .* 13 created, 0 updated, 0 unchanged\.$/m],
  ['gt130', /"total":3/, /"family": "Garcia"/, /"total":1/],
  ['beta/Patient?_summary', /"total":0/],
  ['beta/Patient/7d3c1c5e', /"code":"NOT_FOUND"/],
  ['-X PUT', /"family":"Beta".*"family":"Acme".*"family":"Beta"/s],
  ['partition create europe', /Created partition europe/, /"family":"Weber"/, /"total":1.*"total":0/s],
];

function blocksOf(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/```(\w+)\n(.*?)```/gs)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));
}

/** A folder like a clone after `npm ci` and the build, with no data in it. */
async function cloneFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-readme-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await cp('package.json', join(folder, 'package.json'));
  for (const name of ['node_modules', 'docs']) await symlink(resolve(name), join(folder, name));
  await symlink(resolve(import.meta.dirname, '..', '..'), join(folder, 'build'));
  return folder;
}

/**
 * The README's URLs stay as they are printed: curl is told to connect to another port for them, and the server to
 * call itself by them. Packages and build are there already, so that npm runs the command alone.
 */
async function environment(folder: string): Promise<NodeJS.ProcessEnv> {
  const port = await freePort();
  await writeFile(join(folder, '.curlrc'), `connect-to = "127.0.0.1:8080:127.0.0.1:${port}"\n`);
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('BULKHEAD_'));
  return {
    ...Object.fromEntries(inherited),
    CURL_HOME: folder,
    BULKHEAD_PORT: String(port),
    BULKHEAD_PUBLIC_URL: 'http://127.0.0.1:8080',
    npm_config_ignore_scripts: 'true',
    npm_config_cache: join(folder, '.npm'),
    npm_config_update_notifier: 'false',
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Runs a block that starts the server, until that is ready; answers what stops it as Ctrl-C would. */
async function startServer(
  t: ExecutionContext,
  command: string,
  place: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
) {
  const child = spawn('bash', ['-c', command], {
    ...place,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const signal = (name: NodeJS.Signals): void => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, name);
  };
  t.teardown(() => signal('SIGKILL'));
  let printed = '';
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    printed += String(chunk);
    if (printed.includes('is ready at http://127.0.0.1:8080/fhir\n')) break;
  }
  t.regex(printed, /is ready at/, command);
  child.stdout.resume();
  return async () => {
    const ended = once(child, 'exit');
    signal('SIGINT');
    await ended;
  };
}

test("the README's commands work as they are printed", async (t) => {
  const blocks = blocksOf(await readFile('README.md', 'utf8'));
  const cwd = await cloneFolder(t);
  const place = { cwd, env: await environment(cwd) };
  const expected = new Set(PRINTED);
  let stop: (() => Promise<void>) | undefined;
  for (const { language, text } of blocks) {
    if (language === 'js') {
      const [, name = ''] = /^\/\/ (\S+\.mjs)/.exec(text) ?? [];
      await writeFile(join(cwd, name), text);
    } else if (text.includes('npm start')) {
      await stop?.();
      stop = await startServer(t, text.replace('npm ci && ', ''), place);
    } else if (text !== TEST) {
      const { stdout } = await execute('bash', ['-euo', 'pipefail', '-c', text], place);
      const known = PRINTED.find(([part]) => text.includes(part));
      if (known === undefined) t.fail(`nothing is expected of: ${text}`);
      else expected.delete(known);
      for (const pattern of known?.slice(1) ?? []) t.regex(stdout, pattern as RegExp, text);
    }
  }
  await stop?.();
  t.deepEqual([...expected], [], 'every expectation was met by some block');
});

test('the README has the two commands of a fresh machine', async (t) => {
  const commands = blocksOf(await readFile('README.md', 'utf8')).map(({ text }) => text);
  t.true(commands.includes(START));
  t.true(commands.includes(TEST));
});

test('every page that the README, the guides and CONTRIBUTING link to is there', async (t) => {
  for (const page of ['README.md', 'CONTRIBUTING.md', 'docs/getting-started.md', 'docs/command-line.md']) {
    const text = await readFile(page, 'utf8');
    for (const [, link = ''] of text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)) {
      await t.notThrowsAsync(readFile(join(page, '..', link)), `${page} links to ${link}`);
    }
  }
});

test('the interceptor of the guide for beginners, and its test, do what the page says', async (t) => {
  const blocks = blocksOf(await readFile('docs/getting-started.md', 'utf8')).filter(
    ({ language }) => language === 'ts',
  );
  t.is(blocks.length, 2);
  const folder = await mkdtemp(join(import.meta.dirname, 'getting-started-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'intake-rules.js'), blocks[0]?.text ?? '');
  await writeFile(join(folder, 'intake-rules.check.js'), blocks[1]?.text ?? '');
  const { stdout } = await execute(process.execPath, [join(folder, 'intake-rules.check.js')]);
  t.is(stdout, '422\n');
});
