import type { OutgoingCalls } from '../outgoing/outgoing-calls.js';

/**
 * Where an issuer says that its keys are: OpenID Connect Discovery 1.0, or RFC 8414 where there is none.
 * @throws Error for an answer that is not the issuer's, OutgoingError
 */
export async function discoverKeySet(calls: Pick<OutgoingCalls, 'call'>, issuer: string): Promise<string> {
  const own = await calls.call({ url: `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration` });
  const { status, text } = own.status === 404 ? await calls.call({ url: metadataUrl(issuer) }) : own;
  if (status !== 200) throw new Error(`The metadata of the issuer was answered with ${status}.`);
  const metadata = JSON.parse(text) as { readonly issuer?: unknown; readonly jwks_uri?: unknown };
  if (metadata.issuer !== issuer) throw new Error('The metadata is of another issuer.');
  if (typeof metadata.jwks_uri !== 'string') throw new Error('The metadata names no key set.');
  return metadata.jwks_uri;
}

function metadataUrl(issuer: string): string {
  const { origin, pathname } = new URL(issuer);
  return `${origin}/.well-known/oauth-authorization-server${pathname === '/' ? '' : pathname}`;
}
