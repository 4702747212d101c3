import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import { startRegistry } from './registry.ts';
import { accessToRegistry } from './registry-client.ts';
import { makeTestImage } from './test-image.ts';
import { until } from './until.ts';

describe('test/cluster/registry', () => {
  it('serves what was pushed under the digest that was foretold', async (t) => {
    const registry = await startRegistry();
    t.after(() => registry.stop());
    const { digest, manifests } = makeTestImage('team/app', '1.0.0');
    assert.equal(await registry.push('team/app', '1.0.0'), digest);
    assert.equal(await registry.digestOf('team/app', '1.0.0'), digest);
    assert.equal(await registry.digestOf('team/app', manifests['linux/arm64']!.digest), manifests['linux/arm64']!.digest);
    assert.notEqual(await registry.push('team/app', '1.0.0', { salt: 'rebuilt' }), digest);
    assert.notEqual(await registry.digestOf('team/app', '1.0.0'), digest);
    await registry.deleteTag('team/app', '1.0.0');
    assert.equal(await registry.digestOf('team/app', '1.0.0'), undefined);
  });

  it('pages its lists, and tells which requests it got', async (t) => {
    const registry = await startRegistry();
    t.after(() => registry.stop());
    await registry.pushAll('many', ['1', '2', '3', '4', '5'], { platforms: ['linux/amd64'], index: false });
    registry.forgetRequests();
    const { text, headers } = await registry.request('GET', '/v2/many/tags/list?n=2', { headers: { 'user-agent': 'somebody' } });
    assert.deepEqual(JSON.parse(text).tags, ['1', '2']);
    assert.match(String(headers['link']), /<\/v2\/many\/tags\/list\?last=2&n=2>; rel="next"/);
    const [request] = await until('the request is in the log', () => {
      const found = registry.requests({ userAgent: /somebody/ });
      return found.length > 0 && found;
    });
    assert.deepEqual(request, { method: 'GET', path: '/v2/many/tags/list?n=2', status: 200, userAgent: 'somebody' });
  });

  it('asks for a password behind a certificate of its own authority', async (t) => {
    const registry = await startRegistry({ tls: true, username: 'robot', password: 's3cret' });
    t.after(() => registry.stop());
    assert.equal(await registry.push('team/app', '1.0.0'), makeTestImage('team/app', '1.0.0').digest);
    const nobody = accessToRegistry({ host: registry.host, url: registry.url, ca: registry.ca! });
    t.after(() => nobody.close());
    const { status, headers } = await nobody.request('GET', '/v2/');
    assert.deepEqual([status, headers['www-authenticate']], [401, 'Basic realm="testbed"']);
    const stranger = accessToRegistry({ host: registry.host, url: registry.url });
    t.after(() => stranger.close());
    await assert.rejects(stranger.request('GET', '/v2/'), /certificate/);
  });

  it('notifies of pushes', async (t) => {
    const heard: string[] = [];
    const sink = createServer((request, response) => {
      let text = `${request.headers.authorization} `;
      request.on('data', (chunk) => {
        text += String(chunk);
      });
      request.on('end', () => {
        heard.push(text);
        response.end();
      });
    }).listen(0, '127.0.0.1');
    await once(sink, 'listening');
    const address = sink.address();
    assert.ok(typeof address === 'object' && address !== null);
    const registry = await startRegistry({
      webhooks: [{ url: `http://127.0.0.1:${address.port}/hook`, headers: { authorization: 'Bearer hook' } }],
    });
    t.after(async () => {
      await registry.stop();
      sink.close();
    });
    await registry.push('team/app', '1.0.0');
    await until('the push of the tag is heard', (see) => {
      see(heard);
      return heard.some((text) => text.startsWith('Bearer hook') && /"tag":\s*"1\.0\.0"/.test(text));
    });
  });

  it('hangs, goes away and comes back as told', async (t) => {
    const registry = await startRegistry();
    t.after(() => registry.stop());
    const digest = await registry.push('team/app', '1.0.0');
    registry.pause();
    const hanging = registry.digestOf('team/app', '1.0.0');
    assert.equal(await Promise.race([hanging, new Promise((resolve) => setTimeout(resolve, 300, 'hangs'))]), 'hangs');
    registry.resume();
    assert.equal(await hanging, digest);
    await registry.down();
    await assert.rejects(registry.digestOf('team/app', '1.0.0'), { code: 'ECONNREFUSED' });
    await registry.up();
    assert.equal(await registry.digestOf('team/app', '1.0.0'), digest);
  });
});
