// An OpenID Connect provider as far as its keys go, and tokens by each of them, with the package jose. Arguments: the audience, and the algorithms.
// It says each token, with its algorithm as the key, then that it is ready and by what name.
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { fail, say } from './say.js';

const [audience, ...algorithms] = process.argv.slice(2);
const published = [{ kty: 'oct', kid: 'secret', k: 'c2VjcmV0' }]; // what is no public key is left out by whoever reads them
const answers = new Map();
const server = createServer((request, response) => {
  const answer = answers.get(request.url);
  response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}));
});
server.on('error', fail);
server.listen(0, '127.0.0.1', async () => {
  try {
    const issuer = `http://127.0.0.1:${server.address().port}`;
    answers.set('/.well-known/openid-configuration', { issuer, jwks_uri: `${issuer}/keys`, authorization_endpoint: `${issuer}/a`, token_endpoint: `${issuer}/t` });
    answers.set('/keys', { keys: published });
    for (const alg of algorithms) {
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
      published.push({ ...(await exportJWK(publicKey)), kid: alg, alg, use: 'sig' });
      const token = await new SignJWT({ scope: 'openid operate', lots: ['central'] })
        .setProtectedHeader({ alg, kid: alg, typ: 'at+jwt' })
        .setIssuer(issuer).setAudience(audience).setSubject(`by ${alg}`).setJti(alg).setIssuedAt().setExpirationTime('5 minutes')
        .sign(privateKey);
      say({ key: alg, message: token });
    }
    say({ key: 'issuer', message: issuer });
    say({ ready: true });
  } catch (error) {
    fail(error);
  }
});
