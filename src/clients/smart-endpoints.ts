import type { Settings } from '../settings/schema.js';

/** Where clients get tokens: https://hl7.org/fhir/smart-app-launch/conformance.html. */
export interface SmartEndpoints {
  readonly token: string;
  readonly authorization: string;
  /** Of the server's own keys; undefined where it gives no tokens. */
  readonly keys: string | undefined;
}

/** The settings that decide about it. */
export type EndpointSettings = Pick<
  Settings,
  'auth' | 'authServer' | 'smartTokenUrl' | 'smartAuthorizationUrl'
>;

/** Whether the server gives tokens to clients that are registered here. */
export function givesTokens({ auth, authServer }: EndpointSettings): boolean {
  return auth === 'on' && authServer === 'on';
}

/** What is told of the endpoints; undefined where nobody needs a token, or nothing is known of who gives them. */
export function smartEndpoints(
  settings: EndpointSettings,
  { base, serverBase }: { readonly base: string; readonly serverBase: string },
): SmartEndpoints | undefined {
  const { auth, smartTokenUrl, smartAuthorizationUrl } = settings;
  const gives = givesTokens(settings);
  const token = smartTokenUrl ?? (gives ? tokenUrlOf(base) : undefined);
  const authorization = smartAuthorizationUrl ?? `${base}/auth/authorize`;
  if (auth === 'off' || token === undefined) return undefined;
  return { token, authorization, keys: gives ? `${serverBase}/auth/jwks` : undefined };
}

/** The token endpoint of a tenant, or of the server. */
export function tokenUrlOf(base: string): string {
  return `${base}/auth/token`;
}
