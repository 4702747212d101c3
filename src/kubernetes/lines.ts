/** No object of the API is longer; a line without end must not fill the memory. */
const maxLineBytes = 32 * 1024 * 1024;

/** Gives every complete, non-empty line of the bytes that are pushed; each is decoded once. What follows the last `\n` waits for more. */
export function createLineSplitter(onLine: (line: string) => void): (chunk: Buffer) => void {
  let parts: Buffer[] = [];
  let size = 0;
  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const piece = chunk.subarray(start, end);
      start = end + 1;
      if (parts.length === 0) {
        if (piece.length > 0) onLine(piece.toString('utf8'));
        continue;
      }
      const line = Buffer.concat([...parts, piece], size + piece.length);
      parts = [];
      size = 0;
      onLine(line.toString('utf8'));
    }
    if (start === chunk.length) return;
    parts.push(chunk.subarray(start));
    size += chunk.length - start;
    if (size > maxLineBytes) throw new Error(`a line of more than ${maxLineBytes} bytes`);
  };
}
