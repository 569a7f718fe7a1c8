import type { IncomingMessage } from 'node:http';

type HeaderMap = ReadonlyMap<string, readonly string[]>;

/**
 * Header values by lower-case name, all that were sent: Node keeps only the first of some headers. The list is sorted
 * by names when somebody wants more of a header than to hear that it was not sent.
 */
export class RequestHeaders implements HeaderMap {
  private sorted: HeaderMap | undefined;

  constructor(private readonly message: Pick<IncomingMessage, 'headers' | 'rawHeaders'>) {}

  get(name: string): readonly string[] | undefined {
    return this.has(name) ? this.map.get(name) : undefined;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.message.headers, name);
  }

  get size(): number {
    return this.map.size;
  }

  entries(): MapIterator<[string, readonly string[]]> {
    return this.map.entries();
  }

  keys(): MapIterator<string> {
    return this.map.keys();
  }

  values(): MapIterator<readonly string[]> {
    return this.map.values();
  }

  forEach(tell: (values: readonly string[], name: string, map: HeaderMap) => void): void {
    this.map.forEach((values, name) => tell(values, name, this));
  }

  [Symbol.iterator](): MapIterator<[string, readonly string[]]> {
    return this.entries();
  }

  private get map(): HeaderMap {
    return (this.sorted ??= toHeaderMap(this.message.rawHeaders));
  }
}

function toHeaderMap(raw: readonly string[]): HeaderMap {
  const headers = new Map<string, string[]>();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index]!.toLowerCase();
    const values = headers.get(name);
    if (values) values.push(raw[index + 1]!);
    else headers.set(name, [raw[index + 1]!]);
  }
  return headers;
}
