/**
 * Multitenancy by token: the tenant is a claim of the verified bearer token, so nobody can name another one. The
 * example is its own issuer and prints a token for each tenant.
 *
 *     node build/examples/multitenancy-by-token.js
 *     curl http://127.0.0.1:8080/fhir/Patient -H "Authorization: Bearer $TOKEN"
 */
import { createBulkhead } from 'bulkhead-fhir';
import type { Settings } from 'bulkhead-fhir';
import { startLocalIssuer } from './local-issuer.js';
import { runIfMain } from './run-example.js';
import type { RunningExample } from './run-example.js';

/** The server, and a token for each tenant. */
export interface TokenExample extends RunningExample {
  readonly tokens: Readonly<Record<'acme' | 'beta', string>>;
}

const AUDIENCE = 'https://fhir.example';

/** Starts the issuer and the server with two tenants. `changes` are other settings, for example a port. */
export async function start(changes: Partial<Settings> = {}): Promise<TokenExample> {
  const issuer = await startLocalIssuer(AUDIENCE);
  const server = await createBulkhead({
    settings: {
      databaseUrl: 'sqlite::memory:',
      partitioning: ['token', 'url'],
      tokenJwksUrl: issuer.jwksUrl,
      tokenIssuer: issuer.issuer,
      tokenAudience: AUDIENCE,
      ...changes,
    },
  });
  await server.partitions.create({ name: 'acme' });
  await server.partitions.create({ name: 'beta' });
  const { url } = await server.start();
  const tokens = { acme: await issuer.tokenFor('acme'), beta: await issuer.tokenFor('beta') };
  return { url, tokens, stop: () => Promise.all([server.stop(), issuer.stop()]).then(() => undefined) };
}

await runIfMain(import.meta.filename, async () => {
  const example = await start();
  for (const [tenant, token] of Object.entries(example.tokens)) {
    process.stdout.write(`token of ${tenant}: ${token}\n`);
  }
  return example;
});
