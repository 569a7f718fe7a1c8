import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import type { Settings } from '../../src/settings/schema.js';
import type { Random } from '../campaigns/random.js';
import type { ProvenTenant } from './topology.js';
import { weighted } from './vocabulary.js';

/** Tokens of a tenant by what they are good for. */
export type Tokens = ReadonlyMap<string, string>;

const ISSUER = 'https://login.proof.example';
const AUDIENCE = 'https://proof.example/fhir';
const LIFETIME_SECONDS = 24 * 60 * 60;

/** What the tokens of a tenant say, by their names; all are of the same subject, whichever tenant they are for. */
const CLAIMS: Readonly<Record<string, (tenant: ProvenTenant) => JWTPayload>> = {
  everything: () => ({ scope: 'system/*.cruds' }),
  reader: () => ({ scope: 'system/*.rs' }),
  writer: () => ({ scope: 'system/*.cud' }),
  limited: () => ({ scope: 'system/Patient.cruds?gender=male system/Observation.rs?code=urn:code%7Cweight' }),
  patient: () => ({ scope: 'patient/*.cruds', patient: 'a' }),
  user: ({ canary }) => ({
    scope: 'user/Patient.cruds user/Observation.rs',
    fhirUser: `Practitioner/${canary}`,
  }),
  old: () => ({ scope: 'system/*.read system/Encounter.write' }),
  nothing: () => ({ scope: 'openid' }),
  expired: () => ({ scope: 'system/*.cruds', exp: 1_000_000_000 }),
  nobody: () => ({ scope: 'system/*.cruds', tenant_id: undefined }),
  elsewhere: () => ({ scope: 'system/*.cruds', tenant_id: 'nobody' }),
};

/** What tenants send along, a token of another tenant among it. */
const AUTHORIZATIONS: readonly (readonly [number, string | undefined])[] = [
  [40, 'Bearer <jwt:everything>'],
  [5, 'Bearer <jwt:reader>'],
  [4, 'Bearer <jwt:writer>'],
  [8, 'Bearer <jwt:limited>'],
  [8, 'Bearer <jwt:patient>'],
  [4, 'Bearer <jwt:user>'],
  [3, 'Bearer <jwt:old>'],
  [1, 'Bearer <jwt:nothing>'],
  [1, 'Bearer <jwt:expired>'],
  [1, 'Bearer <jwt:nobody>'],
  [1, 'Bearer <jwt:elsewhere>'],
  [6, 'Bearer <{other}:jwt:everything>'],
  [1, 'Bearer <{other}:jwt:patient>'],
  [1, 'Bearer <jwt:everything>x'],
  [1, 'Bearer <canary>'],
  [1, undefined],
];

/** The header of a request where tokens are asked for; undefined: none. */
export function drawAuthorization(random: Random): string | undefined {
  return weighted(random, AUTHORIZATIONS)?.replace('{other}', String(random.integer(0, 7)));
}

/** Issues the tokens of all tenants, and tells servers the key to them. */
export class ProofIssuer {
  private constructor(
    private readonly server: Server,
    private readonly key: CryptoKey,
  ) {}

  static async open(): Promise<ProofIssuer> {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: '1', alg: 'ES256', use: 'sig' };
    const keys = JSON.stringify({ keys: [jwk] });
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(keys);
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return new ProofIssuer(server.unref(), privateKey);
  }

  get settings(): Partial<Settings> {
    const { port } = this.server.address() as AddressInfo;
    return {
      auth: 'on',
      tokenIssuer: ISSUER,
      tokenAudience: AUDIENCE,
      tokenJwksUrl: `http://127.0.0.1:${port}/keys`,
    };
  }

  async tokensOf(tenant: ProvenTenant): Promise<Tokens> {
    const made = Object.entries(CLAIMS).map(async ([name, claims]) => {
      const token = await this.sign({ tenant_id: tenant.name, ...claims(tenant) });
      return [name, token] as const;
    });
    return new Map(await Promise.all(made));
  }

  /** For what only operators may see. */
  operatorToken(): Promise<string> {
    return this.sign({ scope: 'bulkhead.admin' });
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private sign(claims: JWTPayload): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const usual = { iss: ISSUER, aud: AUDIENCE, sub: 'somebody', iat: now, exp: now + LIFETIME_SECONDS };
    return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: 'ES256', kid: '1' }).sign(this.key);
  }
}
