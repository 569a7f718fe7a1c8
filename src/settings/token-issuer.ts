import { z } from 'zod';
import { webUrl } from './addresses.js';
import type { Kind } from './kinds.js';

/** The algorithms that tokens may be signed with: whoever can verify them cannot sign. */
export const TOKEN_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

const word = z.string().trim().min(1);

const tokenIssuer = z.strictObject({
  /** The `iss`, and where discovery begins where no `jwksUrl` is given. */
  issuer: word,
  /** `tokenAudience` if left out. */
  audience: word.optional(),
  jwksUrl: webUrl.type.optional(),
  algorithms: z.array(z.enum(TOKEN_ALGORITHMS)).min(1).optional(),
  /** `tokenTenantClaim` if left out. */
  tenantClaim: word.optional(),
  /** Partitions that this issuer is bound to: its tokens grant no others, whatever they claim. */
  partitions: z.array(word).min(1).optional(),
  /** Scope whose holders may manage the server; nobody of an issuer that is bound to partitions if left out. */
  adminScope: word.optional(),
});

/** One more issuer of tokens, as the settings describe it. */
export type IssuerSetting = z.output<typeof tokenIssuer>;

/** A list of issuers: an array in a config file, JSON text elsewhere. */
export const tokenIssuers: Kind<readonly IssuerSetting[]> = {
  type: z.union([z.array(z.unknown()), z.string().transform(readJson)]).pipe(z.array(tokenIssuer)),
  values:
    'a JSON array of objects with `issuer`, `audience`, `jwksUrl`, `algorithms`, `tenantClaim`, `partitions`, `adminScope`',
  explain: () => 'this list of issuers cannot be read',
};

function readJson(text: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    context.addIssue({ code: 'custom', message: `no JSON: ${String(error)}` });
    return z.NEVER;
  }
}
