// Koa + ioredis doing the claim of ../claim.lua on 127.0.0.1:PORT with the Redis at REDIS.
import { Redis } from 'ioredis';
import Koa from 'koa';
import { claimsOver } from '../claim.mjs';

const claim = await claimsOver(Redis);

const app = new Koa();
app.use(async (ctx) => {
  const authorization = ctx.get('authorization');
  const key = ctx.get('idempotency-key');
  if (!authorization || !key) return ctx.throw(400);
  ctx.body = await claim(authorization, key);
});
app.listen(Number(process.env.PORT), '127.0.0.1');
