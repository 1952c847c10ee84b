// A provider of identities, as partners have one: `node identities.mjs FOLDER REDIRECT` prints its issuer and serves until it is killed.
// Whoever is named by GET /be/ACCOUNT?name=NAME&groups=A,B is signed in at the next request, without a form.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [folder, redirect] = process.argv.slice(2);
const found = createRequire(`${folder}/`).resolve('oidc-provider');
const { Provider } = await import(pathToFileURL(found));

let who = { account: 'a-1', claims: {} };
const known = new Map();

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'bailiwick', client_secret: 'a secret of thirty-two characters', redirect_uris: [redirect],
      response_types: ['code'], grant_types: ['authorization_code'],
    }],
    pkce: { required: () => true },
    claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['of this test'] },
    features: { devInteractions: { enabled: false } },
    ttl: { AuthorizationCode: 2, IdToken: 60, Interaction: 60, Session: 60, Grant: 60, AccessToken: 60 },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...known.get(sub) }) }),
    loadExistingGrant: async (context) => {
      const grant = new context.oidc.provider.Grant({
        clientId: context.oidc.client.clientId, accountId: context.oidc.session.accountId,
      });
      grant.addOIDCScope('openid profile');
      await grant.save();
      return grant;
    },
  });
  const answer = provider.callback();
  server.on('request', async (request, response) => {
    const url = new URL(request.url, issuer);
    if (url.pathname.startsWith('/be/')) {
      const groups = url.searchParams.get('groups');
      const claims = { preferred_username: url.searchParams.get('name'), groups: groups ? groups.split(',') : [] };
      who = { account: url.pathname.slice(4), claims };
      known.set(who.account, claims);
      response.end('so be it');
    } else if (url.pathname.startsWith('/interaction/')) {
      await provider.interactionFinished(request, response, { login: { accountId: who.account } });
    } else {
      answer(request, response);
    }
  });
  console.log(issuer);
});
