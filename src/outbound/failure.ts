import { OutboundError, type OutboundErrorCode } from '../errors.ts';

const readableQuery = new Set(['scope', 'service', 'n', 'last', 'digest', 'ns', 'artifactType']);
const timeouts = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']);
const tlsFailure =
  /^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|CRL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH|EPROTO)/;
/** What Node adds to TLS failures: advice about its own flags, which nobody can give here. */
const adviceOfNode = /; if the root CA is installed locally, try running Node\.js with --use-system-ca/;
/** `40BD…:error:0A00010B:SSL routines:function:wrong version number:../deps/file.c:77:`: only the words about what happened are for people. */
const wordsOfOpenssl = /^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):.*$/s;
/** Of undici, about a CONNECT. */
const tunnelRefused = /^Proxy response \((\d+)\) !== 200 when HTTP Tunneling$/;
const brokenAnswer = /^(HPE_|Z_|ERR_?_?(BROTLI|ZSTD|ERROR_FORMAT|BUFFER)|UND_ERR_RES_|UND_ERR_INVALID|ERR_INVALID)/;

/** The URL as it may be logged: no userinfo, no fragment, only harmless query values. */
export function redactUrl(url: string | URL): string {
  const parsed = typeof url === 'string' ? URL.parse(url) : url;
  if (parsed === null) return '[unreadable URL]';
  const query = [...parsed.searchParams].map(([name, value]) => {
    return `${encodeURIComponent(name)}=${readableQuery.has(name) ? encodeURIComponent(value) : '[redacted]'}`;
  });
  // Of what is no address on the net it is the text `null`.
  const origin = parsed.origin === 'null' ? parsed.protocol : parsed.origin;
  return `${origin}${parsed.pathname}${query.length === 0 ? '' : `?${query.join('&')}`}`;
}

/** Turns what the HTTP library, the socket, TLS or zlib threw into the one kind of error callers see. */
export function outboundFailure(error: unknown, where: string): OutboundError {
  if (error instanceof OutboundError) return error;
  const first: unknown = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
  const code = codeOf(error) || codeOf(first);
  return new OutboundError(classify(code), where, sentenceOf(first, code), { cause: error });
}

/** What happened, for people, with the code that they can search for. */
function sentenceOf(error: unknown, code: string): string {
  const message = error instanceof Error && error.message !== '' ? error.message : String(error);
  const status = tunnelRefused.exec(message)?.[1];
  if (status !== undefined) return `the proxy refuses the connection (HTTP ${status})`;
  const sentence = message.replace(adviceOfNode, '').replace(wordsOfOpenssl, '$1');
  return code === '' || code === 'HEADWIND_BLOCKED' || sentence.includes(code) ? sentence : `${sentence} (${code})`;
}

function classify(code: string): OutboundErrorCode {
  if (timeouts.has(code)) return 'Timeout';
  if (code === 'HEADWIND_BLOCKED') return 'Blocked';
  if (code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'HPE_HEADER_OVERFLOW') return 'TooLarge';
  if (tlsFailure.test(code)) return 'Tls';
  return brokenAnswer.test(code) ? 'Protocol' : 'Unreachable';
}

function codeOf(error: unknown): string {
  if (error instanceof Error && error.name === 'HTTPParserError') return 'HPE_INVALID';
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
