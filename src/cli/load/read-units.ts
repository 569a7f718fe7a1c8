import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import split2 from 'split2';
import { DEFAULT_JSON_LIMITS, parseJson } from '../../fhir/json.js';
import { parseXml } from '../../fhir/xml/parse.js';
import type { Resource } from '../../model/resource.js';
import type { SourceFile } from './source-files.js';
import { BATCH_ENTRIES, type Failure, isResource, type LoadUnit, toBatch, toUnits } from './unit.js';

/** How a file is read. */
export interface ReadOptions {
  /** Positions to read, all if left out: for what failed the first time. */
  readonly only?: ReadonlySet<number>;
  /** Bytes of the file as they are read. */
  readonly onBytes: (count: number) => void;
}

/** Lines longer than this are no resource that a server would take. */
const MAX_LINE_LENGTH = 256 * 2 ** 20;

/** A batch of lines is sent when it has this many characters, so that large resources do not pile up. */
const BATCH_CHARACTERS = 4 * 2 ** 20;

/**
 * Reads a file as what is to be sent of it. NDJSON is read as a stream, a batch of lines at a time; a
 * document of JSON or XML is one piece and held in memory.
 * @throws Error for a file that cannot be read or unpacked.
 */
export async function* readUnits(file: SourceFile, options: ReadOptions): AsyncGenerator<LoadUnit> {
  if (file.format === 'ndjson') yield* readLines(file, options);
  else for (const unit of await readDocument(file, options)) yield selected(unit, options.only);
}

async function readDocument(file: SourceFile, options: ReadOptions): Promise<readonly LoadUnit[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of openFile(file, options)) chunks.push(chunk as Buffer);
  const content = Buffer.concat(chunks);
  return toUnits(file.format === 'xml' ? parseXml(content, DEFAULT_JSON_LIMITS) : parseJson(content));
}

/** A transaction is repeated as a whole. */
function selected(unit: LoadUnit, only: ReadonlySet<number> | undefined): LoadUnit {
  if (only === undefined || unit.type === 'transaction') return unit;
  return { ...unit, entries: unit.entries.filter(({ position }) => only.has(position)) };
}

async function* readLines(file: SourceFile, options: ReadOptions): AsyncGenerator<LoadUnit> {
  const lines = openFile(file, options).compose(
    split2({ maxLength: MAX_LINE_LENGTH }),
  ) as AsyncIterable<string>;
  const bundlesAre = BUNDLES.test(basename(file.path)) ? 'stored' : 'sent';
  let pile = new LinePile(bundlesAre);
  let position = -1;
  for await (const line of lines) {
    position++;
    if (line.trim() === '' || options.only?.has(position) === false) continue;
    pile.add(line, position);
    if (!pile.isFull()) continue;
    yield* pile.units();
    pile = new LinePile(bundlesAre);
  }
  yield* pile.units();
}

/** A bulk export's file of the Bundles that a server has stored. */
const BUNDLES = /^Bundle\b.*\.ndjson/;

/**
 * Lines that are sent together. A Bundle on a line of its own is sent alone, under the line's position, unless it is
 * one that is stored as such.
 */
class LinePile {
  private readonly resources: { readonly position: number; readonly resource: Resource }[] = [];
  private readonly failures: Failure[] = [];
  private readonly bundles: LoadUnit[] = [];
  private characters = 0;

  constructor(private readonly bundlesAre: 'stored' | 'sent') {}

  add(line: string, position: number): void {
    this.characters += line.length;
    const document = parseLine(line);
    if (document instanceof Error) this.fail(position, document.message);
    else if (!isResource(document))
      this.fail(position, 'The line is not a FHIR resource: it has no resourceType.');
    else if (document.resourceType === 'Bundle' && (this.bundlesAre === 'sent' || document.id === undefined))
      this.bundles.push(...toUnits(document).map((unit) => at(unit, position)));
    else this.resources.push({ resource: document, position });
  }

  isFull(): boolean {
    return (
      this.resources.length >= BATCH_ENTRIES || this.bundles.length > 0 || this.characters >= BATCH_CHARACTERS
    );
  }

  units(): readonly LoadUnit[] {
    const rest =
      this.resources.length + this.failures.length > 0 ? [toBatch(this.resources, this.failures)] : [];
    return [...rest, ...this.bundles];
  }

  private fail(position: number, reason: string): void {
    this.failures.push({ position, what: undefined, resources: 1, reason });
  }
}

function at(unit: LoadUnit, position: number): LoadUnit {
  return {
    ...unit,
    position,
    entries: unit.entries.map((entry) => ({ ...entry, position })),
    broken: unit.broken.map((failure) => ({ ...failure, position })),
  };
}

function parseLine(line: string): unknown {
  try {
    return parseJson(line);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function openFile({ path, gzip }: SourceFile, { onBytes }: ReadOptions): Readable {
  const file = Readable.from(counted(createReadStream(path), onBytes), { objectMode: false });
  return gzip ? file.compose(createGunzip()) : file;
}

async function* counted(
  file: AsyncIterable<Buffer>,
  onBytes: (count: number) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of file) {
    onBytes(chunk.length);
    yield chunk;
  }
}
