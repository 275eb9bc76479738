/** Planes of labels as they travel: zlib, then base64. */

export async function packed(labels: Uint8Array): Promise<string> {
  return toText(await through(labels, new CompressionStream('deflate')))
}

/** @throws Error if the text is no plane of so many pixels. */
export async function unpacked(text: string, pixels: number): Promise<Uint8Array> {
  const plane = await through(toBytes(text), new DecompressionStream('deflate'))
  if (plane.length !== pixels) throw new Error(`a plane of ${plane.length} pixels where ${pixels} were expected`)
  return plane
}

async function through(bytes: Uint8Array, change: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(change)
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

function toText(bytes: Uint8Array): string {
  let letters = ''
  // In pieces: all bytes at once would be more arguments than a function takes.
  for (let at = 0; at < bytes.length; at += 8192) letters += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(letters)
}

const toBytes = (text: string): Uint8Array => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
