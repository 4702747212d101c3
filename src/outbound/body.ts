import type { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream';
import { createBrotliDecompress, createGunzip, createZstdDecompress } from 'node:zlib';
import { OutboundError } from '../errors.ts';
import { outboundFailure } from './failure.ts';

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** What `Accept-Encoding` may offer. */
export const acceptedEncodings = 'gzip, br, zstd';

export interface BodyLimits {
  readonly where: string;
  readonly encoding: string | undefined;
  readonly length: string | undefined;
  readonly maxBytes: number;
}

/** The decoded bytes of an answer. Throws OutboundError, `TooLarge` as soon as more than `maxBytes` were decoded; leaves no open stream. */
export async function* decodedBody(body: Readable, limits: BodyLimits): AsyncGenerator<Buffer> {
  try {
    const source = decode(body, limits);
    let size = 0;
    for await (const chunk of source as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limits.maxBytes) throw tooLarge(limits);
      yield chunk;
    }
  } catch (error) {
    throw outboundFailure(error, limits.where);
  } finally {
    body.on('error', ignore).destroy();
  }
}

function decode(body: Readable, limits: BodyLimits): Readable {
  const encoding = (limits.encoding ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') {
    // Only an early end: what counts are the bytes that come.
    if (Number(limits.length) > limits.maxBytes) throw tooLarge(limits);
    return body;
  }
  const decoder = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined;
  if (decoder === undefined) throw new OutboundError('Protocol', limits.where, `unknown content encoding ${JSON.stringify(encoding)}`);
  return pipeline(body, decoder(), ignore);
}

function tooLarge(limits: BodyLimits): OutboundError {
  return new OutboundError('TooLarge', limits.where, `the answer is longer than ${limits.maxBytes} bytes`);
}

function ignore(): void {
  // The reader of the last stream sees the error.
}
