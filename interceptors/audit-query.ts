import type { RequestDetails } from '../src/index.js';

/** What opens something by itself is not written down. */
const SECRETS: ReadonlySet<string> = new Set(['_page', 'access_token', 'client_assertion', 'client_secret']);

/** Operations that say in a Parameters resource what others say in a query. */
const ASKED_BY_BODY: ReadonlySet<string> = new Set(['$export', '$everything', '$lastn', '$stats']);

/** What a request asked for besides one resource: method, URL and parameters, those of forms and bodies too. */
export function queryOfRequest(request: RequestDetails): string {
  const { method, base, path, parameters, headers, interaction } = request;
  const query = [...parameters, ...parametersOfBody(request)]
    .map(([name, value]) => `${encodeURIComponent(name)}=${toShown(name, value)}`)
    .join('&');
  const url = `${base}${path === '' ? '' : `/${path}`}${query === '' ? '' : `?${query}`}`;
  const condition = interaction === 'create' ? headers.get('if-none-exist')?.[0] : undefined;
  return `${method} ${url}${condition === undefined ? '' : ` If-None-Exist: ${condition}`}`;
}

function toShown(name: string, value: string): string {
  return SECRETS.has(name) ? '***' : encodeURIComponent(value);
}

interface BodyParameter {
  readonly name?: unknown;
  readonly [element: string]: unknown;
}

/** Texts, numbers and references; resources are content. */
function* parametersOfBody({ body, operation }: RequestDetails): Iterable<readonly [string, string]> {
  if (operation === undefined || !ASKED_BY_BODY.has(operation)) return;
  const { parameter } = (body ?? {}) as { readonly parameter?: unknown };
  if (!Array.isArray(parameter)) return;
  for (const one of parameter as readonly (BodyParameter | null)[]) {
    const value = Object.entries(one ?? {}).find(([element]) => element.startsWith('value'))?.[1];
    const text = textOf(value);
    if (text !== undefined) yield [String(one?.name), text];
  }
}

function textOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return value === undefined ? undefined : String(value);
  const { reference } = value as { readonly reference?: unknown };
  return typeof reference === 'string' ? reference : undefined;
}
