import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { exportJWK, generateKeyPair } from 'jose';
import { createWorkplace } from './fixtures.js';

async function keySet(extractPrivate = false): Promise<string> {
  const { publicKey, privateKey } = await generateKeyPair('ES384', { extractable: true });
  const jwk = await exportJWK(extractPrivate ? privateKey : publicKey);
  return JSON.stringify({ keys: [{ ...jwk, kid: 'one' }] });
}

test('clients are added, listed, disabled, enabled and removed, each in its partition', async (t) => {
  const { run, folder } = await createWorkplace(t);
  await run('partition', 'create', 'acme');
  await writeFile(join(folder, 'keys.json'), await keySet());
  const scope = 'system/*.rs system/Group.read';
  const add = ['client', 'add', '--scope', scope, '--jwks', 'keys.json', '--id', 'nightly'];
  const added = await run(...add, '--partition', 'acme', '--name', 'Nightly export');
  t.is(added.out, `Registered client nightly in partition acme for ${scope}.`);
  t.is((await run(...add, '--tenant', 'acme')).exit, 0);
  const { out } = await run('client', 'list', '--partition', 'acme');
  t.regex(
    out,
    /^ID +NAME +STATE +TENANTS +KEYS +SCOPE\nnightly +Nightly export +enabled +acme +registered +system/,
  );
  t.regex((await run('client', 'list')).out, /^nightly +nightly +enabled +acme +registered/m);
  const disabled = await run('client', 'disable', 'nightly', '--partition', 'acme');
  t.is(disabled.out, 'Disabled client nightly of partition acme.');
  t.regex((await run('client', 'list', '--partition', 'acme')).out, /^nightly .* disabled /m);
  t.regex((await run('client', 'list')).out, /^nightly .* enabled /m);
  t.is((await run('client', 'enable', 'nightly', '--partition', 'acme')).exit, 0);
  const removed = await run('client', 'remove', 'nightly', '--partition', 'acme');
  t.is(removed.out, 'Removed client nightly of partition acme.');
  t.notRegex((await run('client', 'list', '--partition', 'acme')).out, /nightly/);
});

test('what cannot be registered is told in one line, and nothing of a private key', async (t) => {
  const { run, folder } = await createWorkplace(t);
  const secret = await keySet(true);
  await writeFile(join(folder, 'private.json'), secret);
  const held = await run('client', 'add', '--scope', 'system/*.rs', '--jwks', 'private.json');
  t.is(held.exit, 1);
  t.regex(held.err, /^error: The key set holds a private or symmetric key/);
  const { d } = (JSON.parse(secret) as { keys: [{ d: string }] }).keys[0];
  t.false(held.err.includes(d));
  const lost = await run('client', 'add', '--scope', 'system/*.rs', '--jwks', 'nowhere.json');
  t.regex(lost.err, /^error: --jwks: .*nowhere\.json cannot be read\.$/);
  t.regex((await run('client', 'add', '--jwks', 'x')).err, /--scope/);
  t.regex((await run('client', 'remove', 'nobody')).err, /^error: The partition has no client 'nobody'\./);
  t.is((await run('client', 'list', '--partition', 'nobody')).exit, 1);
});
