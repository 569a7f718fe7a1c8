import { givesTokens, tokenUrlOf } from '../../clients/smart-endpoints.js';
import type { Settings } from '../../settings/schema.js';
import type { TokenIssuer } from '../issuers.js';
import { ownIssuer } from './own-issuer.js';
import { type SmartConfiguration, smartConfiguration } from './smart-configuration.js';
import { giveToken, type TokenEndpointParts, type TokenResponse } from './token-endpoint.js';

/** Which base something is asked of. */
export interface AuthorizationPlace {
  /** The tenant in the URL, whether it exists or not. */
  readonly tenant: string | undefined;
  readonly serverBase: string;
  /** `serverBase`, and the tenant where there is one. */
  readonly base: string;
}

/** What the authorization server is made of. */
export interface AuthorizationServerParts extends TokenEndpointParts {
  readonly settings: Settings;
}

/** The small authorization server: SMART Backend Services for clients that are registered in partitions. */
export class AuthorizationServer {
  constructor(private readonly parts: AuthorizationServerParts) {}

  /** Whether it gives tokens at all. */
  get isOn(): boolean {
    return givesTokens(this.parts.settings);
  }

  /** @throws TokenError */
  giveToken({ tenant, serverBase, base }: AuthorizationPlace, form: string): Promise<TokenResponse> {
    return giveToken(this.parts, { tenant, serverBase, tokenUrl: tokenUrlOf(base) }, form);
  }

  /** The public keys that its tokens are verified with. */
  keySet(): Promise<object> {
    return this.parts.keys.keySet();
  }

  /** Undefined where there is nothing to discover. */
  configuration(place: AuthorizationPlace): SmartConfiguration | undefined {
    return smartConfiguration(this.parts.settings, place);
  }

  /** Itself, as the issuer of the tokens that this server takes. */
  issuer(serverBase: string): TokenIssuer {
    const { keys, clients, settings, clock } = this.parts;
    return ownIssuer({ keys, clients, clock, adminScope: settings.tokenAdminScope }, serverBase);
  }
}
