// node sharp.mjs tuned|plain jpeg|png|png1|webp COUNT
// plain: one SVG over all of the poster, as its manual would have it. tuned: an SVG as small as each line, the code as raw pixels.
import sharp from 'sharp';
import { H, W, code, family, file, label, measure, name, number } from './drawing.mjs';

const [, , way, format, count] = process.argv;
sharp.cache(false);
sharp.concurrency(1);
const avatar = file('avatar.jpg');
const background = await sharp(file('background.jpg')).removeAlpha().raw().toBuffer();
const mask = Buffer.from('<svg width="160" height="160"><circle cx="80" cy="80" r="80"/></svg>');
const font = `font-family="${family}" fill="#fff"`;

function whole(i) {
  const { size, dark } = code(i);
  const step = 220 / size;
  const d = dark.map(([x, y]) => `M${460 + x * step} ${1044 + y * step}h${step}v${step}h-${step}z`).join('');
  return [{ input: Buffer.from(`<svg width="${W}" height="${H}"><text x="240" y="175" font-size="40" ${font}>${name(i)}</text>
<text x="60" y="700" font-size="36" ${font}>${label}</text><text x="60" y="900" font-size="200" ${font}>${number(i)}</text>
<rect x="450" y="1034" width="240" height="240" fill="#fff"/><path d="${d}" fill="#000"/></svg>`), left: 0, top: 0 }];
}

const line = (width, height, base, px, text) =>
  Buffer.from(`<svg width="${width}" height="${height}"><text x="0" y="${base}" font-size="${px}" ${font}>${text}</text></svg>`);

function parts(i) {
  const { size, dark } = code(i);
  const step = Math.floor(220 / size), edge = (240 - step * size) >> 1;
  const pixels = Buffer.alloc(240 * 240 * 3, 255);
  for (const [x, y] of dark) {
    for (let k = 0; k < step; k++) {
      const at = ((edge + y * step + k) * 240 + edge + x * step) * 3;
      pixels.fill(0, at, at + 3 * step);
    }
  }
  return [
    { input: line(330, 60, 45, 40, name(i)), left: 240, top: 130 },
    { input: line(330, 60, 40, 36, label), left: 60, top: 660 },
    { input: line(420, 200, 170, 200, number(i)), left: 60, top: 730 },
    { input: pixels, raw: { width: 240, height: 240, channels: 3 }, left: 450, top: 1034 },
  ];
}

await measure(async i => {
  const face = await sharp(avatar).resize(160, 160).composite([{ input: mask, blend: 'dest-in' }]).ensureAlpha().raw().toBuffer();
  const poster = sharp(background, { raw: { width: W, height: H, channels: 3 } }).composite([
    { input: face, raw: { width: 160, height: 160, channels: 4 }, left: 60, top: 80 },
    ...(way === 'tuned' ? parts(i) : whole(i)),
  ]);
  switch (format) {
    case 'jpeg': return poster.jpeg({ quality: 85 }).toBuffer();
    case 'png': return poster.png().toBuffer();
    case 'png1': return poster.png({ compressionLevel: 1 }).toBuffer();
    default: return poster.webp({ quality: 85 }).toBuffer();
  }
}, +count);
