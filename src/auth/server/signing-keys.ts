import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, importJWK, type JWK } from 'jose';
import type { Storage } from '../../storage/storage.js';

/** What the keys are kept in, where the servers of one database share them. */
export type KeyStorage = Pick<Storage, 'setting' | 'settings' | 'saveSettings'>;

/** A public key of this server, by which its tokens are verified. */
export interface VerificationKey {
  readonly kid: string;
  readonly jwk: JWK;
  readonly key: Awaited<ReturnType<typeof importJWK>>;
}

/** The key that tokens are signed with now. */
export interface SigningKey extends VerificationKey {
  readonly privateKey: KeyObject;
}

/** Each month has a key of its own, that all servers agree on by its number. */
const PERIOD_MS = 30 * 24 * 60 * 60 * 1000;
/** Tokens live for minutes, and clocks differ: the keys of this month and its neighbours are believed. */
const NEIGHBOURS = 1;
/** Between two looks for a key that another server may have made. */
const RELOAD_MS = 1_000;

const PREFIX = 'token-key:';
const CURVE = 'P-384';

/** This server's own keys, ES384: kept in the database as JSON Web Keys, never in an answer or a log. */
export class SigningKeys {
  private known: readonly SigningKey[] = [];
  private current: { readonly period: number; readonly key: SigningKey } | undefined;
  private reloaded = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly storage: KeyStorage,
    private readonly clock: () => number,
  ) {}

  /** The key of this month; made by whoever asks first. Older ones are destroyed then. */
  async signingKey(): Promise<SigningKey> {
    const period = this.period();
    if (this.current?.period === period) return this.current.key;
    const text = await this.storage.setting(`${PREFIX}${period}`, makeKey);
    const key = await readKey(text);
    await this.reload();
    await this.destroyOld(period);
    this.current = { period, key };
    return key;
  }

  /** The public key with this id; undefined where this server, or another of the database, has none. */
  async find(kid: string): Promise<VerificationKey | undefined> {
    const known = this.known.find((key) => key.kid === kid);
    if (known || this.clock() - this.reloaded < RELOAD_MS) return known;
    await this.reload();
    return this.known.find((key) => key.kid === kid);
  }

  /** The public keys, for whoever verifies tokens elsewhere. */
  async keySet(): Promise<{ readonly keys: readonly JWK[] }> {
    await this.signingKey();
    return { keys: this.known.map(({ jwk }) => jwk) };
  }

  private period(): number {
    return Math.floor(this.clock() / PERIOD_MS);
  }

  private async reload(): Promise<void> {
    this.reloaded = this.clock();
    const period = this.period();
    const stored = [...(await this.storage.settings(PREFIX))];
    const valid = stored.filter(([name, text]) => text !== '' && isNear(period, name));
    this.known = await Promise.all(valid.map(([, text]) => readKey(text)));
  }

  /** A setting is never removed, since another server would make it anew: it becomes empty. */
  private async destroyOld(period: number): Promise<void> {
    const stored = [...(await this.storage.settings(PREFIX))];
    const old = stored.filter(
      ([name, text]) => text !== '' && Number(name.slice(PREFIX.length)) < period - NEIGHBOURS,
    );
    if (old.length > 0) await this.storage.saveSettings(new Map(old.map(([name]) => [name, ''])));
  }
}

function isNear(period: number, name: string): boolean {
  return Math.abs(Number(name.slice(PREFIX.length)) - period) <= NEIGHBOURS;
}

function makeKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: CURVE });
  return JSON.stringify(privateKey.export({ format: 'jwk' }));
}

async function readKey(text: string): Promise<SigningKey> {
  const { kty, crv, x, y, d } = JSON.parse(text) as JWK;
  const publicPart: JWK = { kty: String(kty), crv: String(crv), x: String(x), y: String(y) };
  const kid = await calculateJwkThumbprint(publicPart);
  return {
    kid,
    jwk: { ...publicPart, kid, alg: 'ES384', use: 'sig' },
    key: await importJWK(publicPart, 'ES384'),
    privateKey: createPrivateKey({ key: { ...publicPart, d: String(d) }, format: 'jwk' }),
  };
}
