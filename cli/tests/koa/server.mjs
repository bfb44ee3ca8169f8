// A server as teams have it, for the tests of `gala wrap`: it reads PORT and knows nothing of functions.
import Koa from 'koa';

const body = async (req) => {
  const parts = [];
  for await (const part of req) parts.push(part);
  return Buffer.concat(parts);
};

const seen = [];
const app = new Koa();
app.proxy = true;
app.use(async (ctx) => {
  switch (ctx.path) {
    case '/cookies':
      ctx.cookies.set('a', '1');
      ctx.cookies.set('b', '2');
      ctx.body = 'two';
      return;
    case '/picture':
      ctx.type = 'image/png';
      ctx.body = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0xff]);
      return;
    case '/redirect':
      ctx.redirect('/elsewhere');
      return;
    case '/fails':
      throw new Error('as asked');
    case '/dies':
      process.exit(3);
      return;
    case '/told':
      seen.push({ id: ctx.get('ce-id'), type: ctx.get('ce-type'), body: (await body(ctx.req)).toString() });
      ctx.status = 204;
      return;
    case '/seen':
      ctx.body = seen;
      return;
    default:
      ctx.body = {
        app: process.env.APP ?? 'whole',
        method: ctx.method,
        path: ctx.path,
        query: ctx.query,
        ip: ctx.ip,
        secret: Object.keys(ctx.headers).filter((name) => name.startsWith('x-scf-')),
        body: (await body(ctx.req)).toString('base64'),
      };
  }
});
app.listen(process.env.PORT, '127.0.0.1');
