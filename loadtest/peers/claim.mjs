// The claim that the peers offer: claim.lua on the Redis at REDIS, for the user whom a bearer token names.
// The token's signature is not checked: cheaper than any real server may be.
import { readFileSync } from 'node:fs';

const lua = readFileSync(new URL('claim.lua', import.meta.url), 'utf8');

// The function that claims, once Redis is there. `Redis` is the class of the ioredis that the peer has installed.
export async function claimsOver(Redis) {
  const redis = new Redis(process.env.REDIS);
  redis.defineCommand('claim', { numberOfKeys: 5, lua });
  await new Promise((resolve) => redis.once('ready', resolve));
  return async (authorization, key) => {
    const user = userOf(authorization);
    const day = new Date().toISOString().slice(0, 10);
    const [outcome, left] = await redis.claim(
      `k:${user}:${key}`, `u:${user}`, `d:${user}:${day}`, 'stock', 'claims',
      user, day, 1000000, 'coupon',
    );
    return { outcome, left };
  };
}

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
