// oidc-provider as an authorization server, on a loopback port of its own.
//
// Prints `issuer URL` when it serves. Obeys lines on standard input, and prints what it did:
//
//   rotate      signs with a new key, and publishes it beside the old ones: `signs KID`
//   retire      publishes the key that signs alone: `publishes KID`
//   count PATH  says how many requests there were to that path: `counted NUMBER`
//   client-key  says which private key the client `api-key` has: `key JWK`
//
// Ends when its standard input does, so that no test leaves it behind.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

import Provider from 'oidc-provider';

// The resource of this name gets opaque tokens, every other one JWTs.
const [opaqueResource, clientSecret] = process.argv.slice(2);

function newKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'ES256', use: 'sig' };
}

const client = (id, more) => ({
  client_id: id,
  client_secret: clientSecret,
  grant_types: [],
  redirect_uris: [],
  response_types: [],
  id_token_signed_response_alg: 'ES256',
  introspection_signed_response_alg: 'ES256',
  ...more,
});

const clientKey = newKey();
const { d: _, ...publicClientKey } = clientKey;

const configuration = {
  // The first gets tokens. The others ask about them, each in another way.
  clients: [
    client('app', { grant_types: ['client_credentials'] }),
    client('api'),
    client('api-post', { token_endpoint_auth_method: 'client_secret_post' }),
    client('api-key', {
      token_endpoint_auth_method: 'private_key_jwt',
      client_secret: undefined,
      jwks: { keys: [publicClientKey] },
    }),
  ],
  cookies: { keys: [randomUUID()] },
  scopes: ['read', 'write'],
  ttl: { ClientCredentials: 3600 },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    dPoP: { enabled: true },
    introspection: { enabled: true },
    jwtIntrospection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_context, resource) => ({
        scope: 'read write',
        audience: resource,
        accessTokenFormat: resource === opaqueResource ? 'opaque' : 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
};

// The tokens it has issued outlive a provider: they are in the memory of the module.
const serve = (issuer, keys) =>
  new Provider(issuer, { ...configuration, jwks: { keys } }).callback();

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const counts = new Map();
  // The first signs.
  let keys = [newKey()];
  let handle = serve(issuer, keys);

  server.on('request', (request, response) => {
    const [path] = request.url.split('?');
    counts.set(path, (counts.get(path) ?? 0) + 1);
    handle(request, response);
  });

  const publish = (published) => {
    keys = published;
    handle = serve(issuer, keys);
    return keys[0].kid;
  };
  const commands = {
    rotate: () => `signs ${publish([newKey(), ...keys])}`,
    retire: () => `publishes ${publish(keys.slice(0, 1))}`,
    'client-key': () => `key ${JSON.stringify(clientKey)}`,
    count: (path) => `counted ${counts.get(path) ?? 0}`,
  };
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const [name, argument] = line.split(' ');
    console.log(commands[name](argument));
  });
  lines.on('close', () => process.exit(0));

  console.log(`issuer ${issuer}`);
});
