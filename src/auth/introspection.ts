import type { JWTPayload } from 'jose';
import type { OutgoingCalls } from '../outgoing/outgoing-calls.js';
import { cannotVerify, tokenExpired, tokenRefused } from './login-required.js';
import { RememberedTokens } from './remembered-tokens.js';
import type { TokenTimes } from './verify-jwt.js';

/** Who is asked about tokens that cannot be read. */
export interface IntrospectionOptions extends TokenTimes {
  readonly calls: Pick<OutgoingCalls, 'call'>;
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The `iss` that the answer must have, where it has one. */
  readonly issuer: string | undefined;
  /** The `aud` that the answer must have, alone or among others. */
  readonly audience: string;
}

/** What was asked about a token. */
export interface IntrospectedToken {
  readonly claims: JWTPayload;
  /** Milliseconds since 1970 UTC. */
  readonly expires: number;
}

/** A token that does not tell when it expires is asked about again after this time. */
const UNKNOWN_LIFETIME_MS = 60_000;
/** Whoever sends what is refused again and again asks nobody. */
const REFUSED_MS = 10_000;
const MOST_AT_ONCE = 50;

/** Asks the issuer about tokens: https://www.rfc-editor.org/rfc/rfc7662. */
export class Introspection {
  private readonly refused: RememberedTokens<true>;
  private readonly pending = new Map<string, Promise<IntrospectedToken>>();

  constructor(private readonly options: IntrospectionOptions) {
    this.refused = new RememberedTokens(options.clock);
  }

  /** @throws FhirError LOGIN_REQUIRED for a token that is not active here, BUSY while nobody answers */
  claimsOf(token: string): Promise<IntrospectedToken> {
    if (this.refused.get(token)) return Promise.reject(tokenRefused());
    const known = this.pending.get(token);
    if (known) return known;
    if (this.pending.size >= MOST_AT_ONCE) return Promise.reject(cannotVerify());
    const asked = this.ask(token).finally(() => this.pending.delete(token));
    this.pending.set(token, asked);
    return asked;
  }

  private async ask(token: string): Promise<IntrospectedToken> {
    const answer = await this.answerAbout(token).catch((cause: unknown) => {
      throw cannotVerify(cause);
    });
    try {
      return this.judge(answer);
    } catch (error) {
      this.refused.set(token, true, this.options.clock() + REFUSED_MS);
      throw error;
    }
  }

  private async answerAbout(token: string): Promise<Readonly<Record<string, unknown>>> {
    const { calls, url, clientId, clientSecret } = this.options;
    const { status, text } = await calls.call({
      url,
      body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: basic(clientId, clientSecret),
      },
    });
    if (status !== 200) throw new Error(`The introspection was answered with ${status}.`);
    const answer: unknown = JSON.parse(text);
    if (typeof answer !== 'object' || answer === null) throw new Error('The introspection told nothing.');
    return answer as Readonly<Record<string, unknown>>;
  }

  private judge(answer: Readonly<Record<string, unknown>>): IntrospectedToken {
    const { issuer, audience, clock, toleranceSeconds } = this.options;
    const { active, iss, aud, exp, nbf, iat, cnf } = answer;
    if (active !== true || cnf !== undefined) throw tokenRefused();
    if (issuer !== undefined && iss !== undefined && iss !== issuer) throw tokenRefused();
    if (!(Array.isArray(aud) ? aud : [aud]).includes(audience)) throw tokenRefused();
    const now = clock() / 1000;
    if (![nbf, iat].every((time) => time === undefined || Number(time) <= now + toleranceSeconds)) {
      throw tokenRefused();
    }
    const expires = exp === undefined ? clock() + UNKNOWN_LIFETIME_MS : Number(exp) * 1000;
    if (!(expires > clock())) throw tokenExpired();
    return { claims: { iss: issuer ?? this.options.url, ...answer } as JWTPayload, expires };
  }
}

/** Both parts are encoded as in a form: https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1 */
function basic(id: string, secret: string): string {
  return `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString('base64')}`;
}

function encode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
