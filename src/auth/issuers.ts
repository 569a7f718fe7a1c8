import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import type { Principal } from '../model/principal.js';
import type { TOKEN_ALGORITHMS } from '../settings/token-issuer.js';

/** Algorithms in which whoever can verify cannot sign. */
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

/** Somebody whose JWT access tokens are believed. */
export interface TokenIssuer {
  /** The `iss` that its tokens have, compared letter by letter. */
  readonly issuer: string;
  /** The `aud` that they must have, alone or among others. */
  readonly audience: string;
  readonly algorithms: readonly TokenAlgorithm[];
  /**
   * The public key for a token's header.
   * @throws jose's errors where there is none, FhirError BUSY where keys cannot be had at the moment.
   */
  readonly keys: JWTVerifyGetKey;
  /**
   * What the claims of a token grant, after signature, `iss`, `aud` and times were checked. A promise only where
   * something has to be looked up; it is remembered with the token.
   * @throws FhirError LOGIN_REQUIRED for a token that is not to be believed all the same, such as a revoked one.
   */
  readonly toPrincipal: (claims: JWTPayload) => Principal | Promise<Principal>;
}

/** The issuers of a server by `iss`. Those that are made with the server may be added before it listens. */
export class TokenIssuers {
  private readonly known = new Map<string, TokenIssuer>();

  constructor(issuers: readonly TokenIssuer[] = []) {
    for (const issuer of issuers) this.add(issuer);
  }

  /** @throws Error where two have the same `iss` */
  add(issuer: TokenIssuer): void {
    if (this.known.has(issuer.issuer)) throw new Error(`Tokens of ${issuer.issuer} have two descriptions.`);
    this.known.set(issuer.issuer, issuer);
  }

  find(issuer: string): TokenIssuer | undefined {
    return this.known.get(issuer);
  }
}
