import { decodeJwt } from 'jose';
import { isPromise } from '../hooks/dispatch.js';
import type { MaybePromise } from '../hooks/pointcuts.js';
import { FhirError } from '../model/errors.js';
import { ownerOf, PRINCIPAL, type Principal } from '../model/principal.js';
import { type RequestDetails, SUBJECT } from '../model/request.js';
import { bearerTokenIn } from './bearer-token.js';
import type { TokenIssuers } from './issuers.js';
import { loginRequired, tokenRefused } from './login-required.js';
import { RememberedTokens } from './remembered-tokens.js';
import { type TokenTimes, verifyJwt } from './verify-jwt.js';

/** Says who a token speaks for that is no JWT of a known issuer. */
export type OpaqueTokens = (token: string) => Promise<Principal>;

/** What believing tokens needs. */
export interface AuthenticatorOptions extends TokenTimes {
  readonly issuers: TokenIssuers;
  /** Undefined: such tokens are refused. */
  readonly opaque: OpaqueTokens | undefined;
}

/** Finds out who makes a request. A token that was believed is remembered, and then nothing is waited for. */
export class Authenticator {
  readonly issuers: TokenIssuers;
  private readonly remembered: RememberedTokens<Principal>;

  constructor(private readonly options: AuthenticatorOptions) {
    this.issuers = options.issuers;
    this.remembered = new RememberedTokens(options.clock);
  }

  /**
   * Says in the request's attributes who makes it. `metadata` is open to everybody who shows no token.
   * @throws FhirError LOGIN_REQUIRED without a token that is believed, INVALID_REQUEST for two of them or one in the
   * URL, BUSY while tokens cannot be verified
   */
  admit(request: RequestDetails): MaybePromise<void> {
    assertNotInUrl(request);
    const values = request.headers.get('authorization');
    if (values === undefined && isPublic(request)) return;
    const principal = this.believe(values ?? []);
    return isPromise(principal) ? principal.then((late) => note(request, late)) : note(request, principal);
  }

  /** Who the values of the header Authorization speak for. @throws FhirError as `admit` */
  believe(values: readonly string[]): MaybePromise<Principal> {
    const token = bearerTokenIn(values);
    if (token === undefined) throw loginRequired('A bearer token is needed.', 'Bearer');
    return this.remembered.get(token) ?? this.verify(token);
  }

  private async verify(token: string): Promise<Principal> {
    const { issuers, opaque } = this.options;
    const issuer = issuers.find(issuerOf(token) ?? '');
    if (issuer === undefined && opaque === undefined) throw tokenRefused();
    const principal = issuer
      ? await issuer.toPrincipal(await verifyJwt(token, issuer, this.options))
      : await opaque!(token);
    this.remembered.set(token, principal, principal.expires);
    return principal;
  }
}

function isPublic({ interaction }: RequestDetails): boolean {
  return interaction === 'capabilities';
}

/** URLs are kept in logs and histories (https://www.rfc-editor.org/rfc/rfc6750#section-2.3). */
function assertNotInUrl({ parameters }: RequestDetails): void {
  if (parameters.every(([name]) => name !== 'access_token')) return;
  throw new FhirError('INVALID_REQUEST', 'A token is sent in the header Authorization, and not in the URL.');
}

function note(request: RequestDetails, principal: Principal): void {
  request.attributes.set(PRINCIPAL, principal);
  request.attributes.set(SUBJECT, ownerOf(principal));
}

/** What a token says about its issuer before it is believed; undefined for what is no JWT. */
function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}
