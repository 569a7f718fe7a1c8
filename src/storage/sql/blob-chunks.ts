/** A multiple of 3, so that the base64 of the pieces is the base64 of the whole. */
const CHUNK_BYTES = 192 * 1024;

/** The same bytes in pieces of CHUNK_BYTES, the last one shorter. */
export async function* inChunks(content: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const part of content) {
    let rest = part;
    while (size + rest.length >= CHUNK_BYTES) {
      const take = CHUNK_BYTES - size;
      yield Buffer.concat([...parts, rest.subarray(0, take)]);
      [parts, size, rest] = [[], 0, rest.subarray(take)];
    }
    parts.push(rest);
    size += rest.length;
  }
  if (size > 0) yield Buffer.concat(parts, size);
}
