import { messageOf } from './command-io.ts';

/** The answer of the operator's API, whatever its status. */
export interface ApiReply {
  readonly status: number;
  readonly text: string;
}

/** With the token, where there is one, as a bearer token. Throws Unreachable. */
export type AskApi = (url: URL, token?: string) => Promise<ApiReply>;

/** Nobody answers at the address. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

const connectMs = 2000;
const mostBytes = 16 * 1024 * 1024;

/** GET, within ten seconds. */
export async function askApi(url: URL, token?: string): Promise<ApiReply> {
  const { createOutbound } = await import('../outbound.ts');
  const outbound = createOutbound({ userAgent: 'headwind-cli', connectMs });
  try {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const limits = { maxBytes: mostBytes, timeouts: { callMs: 10_000 } };
    const { status, body } = await outbound.request({ url, headers, directlyNamed: true, ...limits });
    return { status, text: body.toString('utf8') };
  } catch (error) {
    throw new Unreachable(messageOf(error), { cause: error });
  } finally {
    await outbound.close();
  }
}
