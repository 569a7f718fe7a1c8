import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, inflateRawSync } from 'node:zlib';
import { packageRoot } from '../fhir/definitions.js';
import type { Resource } from '../model/resource.js';
import type { TerminologyType } from './terminology-source.js';

/** Where one resource stands in the file of all: type, canonical URL, first byte, count of bytes (deflated). */
export type ShippedEntry = readonly [type: TerminologyType, url: string, offset: number, length: number];

/** R4's code systems and value sets. Each is read from disk when it is asked for; nothing is kept here but the index. */
export class ShippedTerminology {
  private readonly folder: string;
  private index: ReadonlyMap<string, ShippedEntry> | undefined;

  constructor(folder: string = join(packageRoot(), 'build', 'definitions', 'r4')) {
    this.folder = folder;
  }

  /** The resource with the canonical URL: R4 has one version of each. */
  find(type: TerminologyType, url: string): Resource | undefined {
    const entry = this.entries().get(keyOf(type, url));
    if (entry === undefined) return undefined;
    const [, , offset, length] = entry;
    return JSON.parse(inflateRawSync(this.read(offset, length)).toString('utf8')) as Resource;
  }

  /** Canonical URLs of all that ship. */
  urls(type: TerminologyType): readonly string[] {
    return [...this.entries().values()].filter(([of]) => of === type).map(([, url]) => url);
  }

  private entries(): ReadonlyMap<string, ShippedEntry> {
    if (this.index === undefined) {
      const packed = gunzipSync(readFileSync(join(this.folder, 'terminology-index.json.gz')));
      const entries = JSON.parse(packed.toString('utf8')) as readonly ShippedEntry[];
      this.index = new Map(entries.map((entry) => [keyOf(entry[0], entry[1]), entry]));
    }
    return this.index;
  }

  private read(offset: number, length: number): Buffer {
    const file = openSync(join(this.folder, 'terminology.bin'), 'r');
    try {
      const bytes = Buffer.alloc(length);
      readSync(file, bytes, 0, length, offset);
      return bytes;
    } finally {
      closeSync(file);
    }
  }
}

function keyOf(type: TerminologyType, url: string): string {
  return `${type} ${url}`;
}
