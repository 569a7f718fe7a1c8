import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** An issuer of tokens for trying things out: it gives a token to whoever calls `tokenFor`. */
export interface LocalIssuer {
  readonly issuer: string;
  readonly jwksUrl: string;
  /** A token for a tenant, good for an hour. */
  readonly tokenFor: (tenant: string) => Promise<string>;
  readonly stop: () => Promise<void>;
}

/** Makes a key pair and serves its public half on a free port. */
export async function startLocalIssuer(audience: string): Promise<LocalIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const keySet = JSON.stringify({
    keys: [{ ...(await exportJWK(publicKey)), kid: 'example', alg: 'ES256' }],
  });
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json').end(keySet);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    jwksUrl: `${issuer}/jwks.json`,
    tokenFor: (tenant) =>
      new SignJWT({ tenant_id: tenant })
        .setProtectedHeader({ alg: 'ES256', kid: 'example' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setExpirationTime('1h')
        .sign(privateKey),
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
}
