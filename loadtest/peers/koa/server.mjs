// Koa + ioredis doing the claim of claim.lua on 127.0.0.1:PORT with the Redis at REDIS.
// It reads the user out of the bearer token without checking the signature: cheaper than any real server may be.
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import Koa from 'koa';

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

const app = new Koa();
app.use(async (ctx) => {
  const authorization = ctx.get('authorization');
  const key = ctx.get('idempotency-key');
  if (!authorization || !key) return ctx.throw(400);
  const user = userOf(authorization);
  const day = new Date().toISOString().slice(0, 10);
  const [outcome, left] = await redis.claim(
    `k:${user}:${key}`, `u:${user}`, `d:${user}:${day}`, 'stock', 'claims',
    user, day, 1000000, 'coupon',
  );
  ctx.body = { outcome, left };
});
app.listen(Number(process.env.PORT), '127.0.0.1');
