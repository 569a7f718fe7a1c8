import { FhirError } from '../model/errors.js';
import { ALL_PARTITIONS_NAME, DEFAULT_PARTITION_ID, type Partition } from '../model/partition.js';
import type { NewClient } from '../storage/client-store.js';
import { parseKeySet } from './key-set.js';
import { isResourceScope, splitScope } from './scope-words.js';

/** What is said of a client to register it. */
export interface Registration {
  /** 1 to 128 letters, digits, `.`, `_`, `~`, `:`, `/` or `-`; a UUID if left out. */
  readonly id?: string;
  /** For people; the id if left out. */
  readonly name?: string;
  /** The scopes that it may be granted: `system/*.rs`. */
  readonly scope: string;
  /** A JSON Web Key Set as text; either this or the URL. */
  readonly jwks?: string;
  readonly jwksUrl?: string;
  /** Names of partitions, or `_ALL` alone; for clients of DEFAULT only. Left out: the partition of the client. */
  readonly tenants?: readonly string[];
}

/** What registering depends on. */
export interface RegistrationRules {
  readonly newId: () => string;
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
  /** Scope of whoever may manage the server, which is not a tenant's to give. */
  readonly adminScope: string;
  /** The partition of a name, where it is in service. */
  readonly partition: (name: string) => Partition | undefined;
}

/** Tenants as they are stored: a partition that was deleted or renamed since is granted no more. */
export type StoredTenants = 'all' | readonly (readonly [id: number, name: string])[];

const CLIENT_ID = /^[A-Za-z0-9._~:/-]{1,128}$/;
const MOST_CHARACTERS = { name: 200, scope: 4_000, keySet: 32_768, url: 2_000 } as const;

/** The client that is asked for. @throws FhirError INVALID_CLIENT that says what is wrong, UNKNOWN_PARTITION */
export function toClient(partition: Partition, asked: Registration, rules: RegistrationRules): NewClient {
  const { id = rules.newId(), name = id } = asked;
  if (!CLIENT_ID.test(id)) throw invalid('A client id has 1 to 128 letters, digits, or ._~:/- characters.');
  if (name.length > MOST_CHARACTERS.name || /\p{Cc}/u.test(name))
    throw invalid(`The name has at most ${MOST_CHARACTERS.name} characters, and no control characters.`);
  return {
    partition: partition.id,
    id,
    name,
    scopes: readScopes(partition, asked.scope, rules),
    tenants: readTenants(partition, asked.tenants, rules),
    ...readKeys(asked),
    created: rules.now,
  };
}

function readScopes(
  { id }: Partition,
  scope: string,
  { adminScope }: Pick<RegistrationRules, 'adminScope'>,
): string {
  if (scope.length > MOST_CHARACTERS.scope) throw invalid('The scope is too long.');
  const words = splitScope(scope);
  if (words === undefined || words.length === 0)
    throw invalid('A scope is words with a space between them, such as system/*.rs.');
  for (const word of words) {
    if (word === adminScope && id === DEFAULT_PARTITION_ID) continue;
    if (!word.startsWith('system/') || !isResourceScope(word)) throw invalid(notGrantable(word));
  }
  return words.join(' ');
}

/** Nobody logs in to this server, so that there is no patient and no user. */
function notGrantable(word: string): string {
  return `'${word.slice(0, 80)}' cannot be granted to a client: system/TYPE.cruds and system/TYPE.read can, of types of R4 and of *.`;
}

function readTenants(
  { id }: Partition,
  names: readonly string[] | undefined,
  { partition }: RegistrationRules,
): string | null {
  if (names === undefined || names.length === 0) return null;
  if (id !== DEFAULT_PARTITION_ID)
    throw invalid('A client that is registered in a tenant is granted this tenant, and no other.');
  if (names.includes(ALL_PARTITIONS_NAME)) {
    if (names.length > 1) throw invalid(`${ALL_PARTITIONS_NAME} stands alone.`);
    return JSON.stringify('all' satisfies StoredTenants);
  }
  const granted: StoredTenants = [...new Set(names)].map((name) => {
    const found = partition(name);
    if (found === undefined)
      throw new FhirError('UNKNOWN_PARTITION', `There is no partition named '${name.slice(0, 80)}'.`);
    return [found.id, found.name];
  });
  return JSON.stringify(granted);
}

function readKeys({ jwks, jwksUrl }: Registration): Pick<NewClient, 'jwks' | 'jwksUrl'> {
  if ((jwks === undefined) === (jwksUrl === undefined))
    throw invalid('A client has either a key set (jwks) or the URL of one (jwksUrl).');
  if (jwks === undefined) return { jwks: null, jwksUrl: readUrl(jwksUrl ?? '') };
  if (jwks.length > MOST_CHARACTERS.keySet) throw invalid('The key set is too long.');
  return { jwks: JSON.stringify(parseKeySet(parseText(jwks))), jwksUrl: null };
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new FhirError('INVALID_CLIENT', 'The key set is not JSON.', { cause });
  }
}

function readUrl(text: string): string {
  const url = text.length <= MOST_CHARACTERS.url && URL.canParse(text) ? new URL(text) : undefined;
  if (url && ['https:', 'http:'].includes(url.protocol) && !url.username && !url.password && !url.hash)
    return text;
  throw invalid('The URL of a key set is an http(s) URL without a login and a fragment.');
}

function invalid(message: string): FhirError {
  return new FhirError('INVALID_CLIENT', message);
}
