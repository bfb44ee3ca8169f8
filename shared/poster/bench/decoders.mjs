// node decoders.mjs DIR: whether others' decoders see in our files what we wrote. DIR is what `contender save DIR` wrote. Of each spliced JPEG
// the same pixels as of the same poster written whole, without any marker; of the PNG exactly the poster's pixels; of the WebP nearly.
// Asks libvips (sharp), node-canvas, and libjpeg-turbo's own djpeg where it is installed.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createCanvas, loadImage } from 'canvas';
import sharp from 'sharp';

const dir = process.argv[2];
const bySharp = file => sharp(file).removeAlpha().raw().toBuffer();
const byCanvas = async file => {
  const image = await loadImage(file);
  const pen = createCanvas(image.width, image.height).getContext('2d');
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, image.width, image.height);
  return Buffer.from(data.filter((_, at) => at % 4 < 3));
};

const decoders = { 'sharp': bySharp, 'node-canvas': byCanvas };
try {
  execFileSync('djpeg', ['-version'], { stdio: 'ignore' });
  decoders.djpeg = file => execFileSync('djpeg', ['-pnm', file], { maxBuffer: 1 << 27 });
} catch { console.log('djpeg is not installed'); }

let wrong = 0, pairs = 0;
for (const name of fs.readdirSync(dir).filter(name => name.startsWith('spliced-'))) {
  for (const [decoder, decode] of Object.entries(decoders)) {
    const [spliced, plain] = await Promise.all([decode(`${dir}/${name}`), decode(`${dir}/${name.replace('spliced', 'plain')}`)]);
    pairs++;
    if (!spliced.equals(plain)) { wrong++; console.log(`${name}: ${decoder} sees another picture`); }
  }
}
console.log(`${pairs} pairs of JPEGs by ${Object.keys(decoders).join(', ')}: ${wrong} differ`);

const poster = fs.readFileSync(`${dir}/poster.rgb`);
for (const [decoder, decode] of [['sharp', bySharp], ['node-canvas', byCanvas]]) {
  const same = (await decode(`${dir}/poster.png`)).equals(poster);
  wrong += !same;
  console.log(`PNG by ${decoder}: ${same ? 'the same pixels' : 'other pixels'}`);
}
const webp = await bySharp(`${dir}/poster.webp`);
let sum = 0;
for (let at = 0; at < poster.length; at++) sum += Math.abs(poster[at] - webp[at]);
const mean = sum / poster.length;
wrong += !(mean < 4);
console.log(`WebP by sharp: ${mean.toFixed(2)} of 255 off on average`);
process.exit(wrong || !pairs ? 1 : 0);
