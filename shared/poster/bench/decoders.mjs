// node decoders.mjs DIR: whether others' decoders see the same pixels in a spliced JPEG as in the same poster written whole, without
// any marker. DIR is what `contender save DIR` wrote. Asks libjpeg-turbo twice: within libvips (sharp), and as djpeg where it is installed.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import sharp from 'sharp';

const dir = process.argv[2];
const decoders = { sharp: file => sharp(file).raw().toBuffer() };
try {
  execFileSync('djpeg', ['-version'], { stdio: 'ignore' });
  decoders.djpeg = file => execFileSync('djpeg', ['-pnm', file], { maxBuffer: 1 << 27 });
} catch { console.log('djpeg is not installed'); }

let differ = 0, pairs = 0;
for (const name of fs.readdirSync(dir).filter(name => name.startsWith('spliced-'))) {
  for (const [decoder, decode] of Object.entries(decoders)) {
    const [spliced, plain] = await Promise.all([decode(`${dir}/${name}`), decode(`${dir}/${name.replace('spliced', 'plain')}`)]);
    pairs++;
    if (!spliced.equals(plain)) { differ++; console.log(`${name}: ${decoder} sees another picture`); }
  }
}
console.log(`${pairs} pairs by ${Object.keys(decoders).join(' and ')}: ${differ} differ`);
process.exit(differ || !pairs ? 1 : 0);
