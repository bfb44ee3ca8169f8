// Fastify + ioredis doing the claim of ../claim.lua on 127.0.0.1:PORT with the Redis at REDIS.
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import { claimsOver } from '../claim.mjs';

const claim = await claimsOver(Redis);

const app = Fastify();
app.post('/*', async (request, reply) => {
  const authorization = request.headers.authorization;
  const key = request.headers['idempotency-key'];
  if (!authorization || !key) return reply.code(400).send();
  return claim(authorization, key);
});
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
