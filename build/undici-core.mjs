// What the operator uses of undici. The package as a whole brings its own fetch, WebSocket, caches and mocks: a quarter of the bundle, and
// a megabyte of memory. A name that is missing here fails the build.
import api from 'undici/lib/api/index.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js';

// As undici's own index does: `request` and the like are methods of every dispatcher.
Object.assign(Dispatcher.prototype, api);

export { Agent, Dispatcher, Pool, ProxyAgent };
