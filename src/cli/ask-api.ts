import { messageOf } from './command-io.ts';

/** The answer of the operator's API, whatever its status. */
export interface ApiReply {
  readonly status: number;
  readonly text: string;
}

/** Throws Unreachable. */
export type AskApi = (url: URL) => Promise<ApiReply>;

/** Nobody answers at the address. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

const connectMs = 2000;
const mostBytes = 16 * 1024 * 1024;

/** GET, within ten seconds. */
export async function askApi(url: URL): Promise<ApiReply> {
  const { createOutbound } = await import('../outbound.ts');
  const outbound = createOutbound({ userAgent: 'headwind-cli', connectMs });
  try {
    const { status, body } = await outbound.request({ url, maxBytes: mostBytes, directlyNamed: true, timeouts: { callMs: 10_000 } });
    return { status, text: body.toString('utf8') };
  } catch (error) {
    throw new Unreachable(messageOf(error), { cause: error });
  } finally {
    await outbound.close();
  }
}
