// Fastify + ioredis doing the claim of claim.lua on 127.0.0.1:PORT with the Redis at REDIS.
// It reads the user out of the bearer token without checking the signature: cheaper than any real server may be.
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import Fastify from 'fastify';

const lua = readFileSync(new URL('claim.lua', import.meta.url), 'utf8');
const redis = new Redis(process.env.REDIS);
redis.defineCommand('claim', { numberOfKeys: 5, lua });
await new Promise((resolve) => redis.once('ready', resolve));

// As gala does: a token that was read once is known until it is forgotten.
const users = new Map();
function userOf(authorization) {
  let user = users.get(authorization);
  if (user === undefined) {
    user = JSON.parse(Buffer.from(authorization.split('.')[1], 'base64url')).sub;
    users.set(authorization, user);
  }
  return user;
}

const app = Fastify();
app.post('/*', async (request, reply) => {
  const authorization = request.headers.authorization;
  const key = request.headers['idempotency-key'];
  if (!authorization || !key) return reply.code(400).send();
  const user = userOf(authorization);
  const day = new Date().toISOString().slice(0, 10);
  const [outcome, left] = await redis.claim(
    `k:${user}:${key}`, `u:${user}`, `d:${user}:${day}`, 'stock', 'claims',
    user, day, 1000000, 'coupon',
  );
  return { outcome, left };
});
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
