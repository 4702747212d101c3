import { BlockList, isIP } from 'node:net';

export interface ProxySettings {
  readonly httpProxy?: string | undefined;
  readonly httpsProxy?: string | undefined;
  /** Comma-separated: `*`, names (with their subdomains), `.suffix`, `*.suffix`, `host:port`, addresses and CIDRs. */
  readonly noProxy?: string | undefined;
}

type Rule = (hostname: string, port: string) => boolean;

/** Decides which proxy a URL goes through, by the rules Go programs follow. Loopback is never proxied. */
export function proxyChooser(settings: ProxySettings): (url: URL) => string | undefined {
  const rules = (settings.noProxy ?? '')
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '')
    .map(noProxyRule);
  return (url) => {
    const proxy = url.protocol === 'https:' ? settings.httpsProxy : settings.httpProxy;
    if (!proxy) return undefined;
    const hostname = bare(url.hostname);
    const port = url.port || (url.protocol === 'https:' ? '443' : '80');
    const direct = isLoopback(hostname) || rules.some((rule) => rule(hostname, port));
    return direct ? undefined : withScheme(proxy);
  };
}

function noProxyRule(entry: string): Rule {
  if (entry === '*') return () => true;
  const cidr = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(entry);
  if (cidr?.[1] !== undefined && isIP(cidr[1]) !== 0) return subnetRule(cidr[1], Number(cidr[2]));
  const withPort = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(entry);
  const host = bare(withPort?.[1] ?? entry);
  const wantedPort = withPort?.[2];
  const matches = isIP(host) === 0 ? nameRule(host) : (hostname: string) => isIP(hostname) !== 0 && sameAddress(hostname, host);
  return (hostname, port) => (wantedPort === undefined || wantedPort === port) && matches(hostname);
}

function nameRule(name: string): (hostname: string) => boolean {
  const suffix = name.startsWith('*.') ? name.slice(1) : name;
  if (suffix.startsWith('.')) return (hostname) => hostname.endsWith(suffix);
  return (hostname) => hostname === suffix || hostname.endsWith(`.${suffix}`);
}

function subnetRule(address: string, prefix: number): Rule {
  const type = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (prefix > (type === 'ipv6' ? 128 : 32)) return () => false;
  const list = new BlockList();
  list.addSubnet(address, prefix, type);
  return (hostname) => isIP(hostname) !== 0 && list.check(hostname, isIP(hostname) === 6 ? 'ipv6' : 'ipv4');
}

function sameAddress(left: string, right: string): boolean {
  const list = new BlockList();
  list.addAddress(right, isIP(right) === 6 ? 'ipv6' : 'ipv4');
  return list.check(left, isIP(left) === 6 ? 'ipv6' : 'ipv4');
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '::1' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function bare(hostname: string): string {
  const inner = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return inner.toLowerCase().replace(/\.$/, '');
}

function withScheme(proxy: string): string {
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}
