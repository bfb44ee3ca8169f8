// node run.mjs [ROUNDS]: posters a second against sharp and node-canvas, as ratios of processor time. README.md says what is needed.
import { execFileSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const rounds = +(process.argv[2] ?? 5);
const env = { ...process.env, FONTCONFIG_FILE: `${process.env.POSTER_BENCH}/fonts.conf` };
const run = (program, ...rest) => {
  const out = execFileSync('taskset', ['-c', '1', program, ...rest], { cwd: here, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return JSON.parse(out.trim().split('\n').pop());
};
const ours = (format, count) => () => run(process.env.CONTENDER, format, String(count));
const node = (script, way, format, count) => () => run('node', `${script}.mjs`, way, format, String(count));

const tables = {
  jpeg: {
    'ours': ours('jpeg', 60),
    'sharp, tuned': node('sharp', 'tuned', 'jpeg', 12),
    'sharp': node('sharp', 'plain', 'jpeg', 12),
    'node-canvas, background kept': node('canvas', 'cached', 'jpeg', 12),
    'node-canvas, background decoded': node('canvas', 'decoded', 'jpeg', 12),
  },
  png: {
    'ours': ours('png', 30),
    'sharp, tuned': node('sharp', 'tuned', 'png', 8),
    'sharp, tuned, level 1': node('sharp', 'tuned', 'png1', 8),
    'sharp': node('sharp', 'plain', 'png', 8),
    'node-canvas, background kept': node('canvas', 'cached', 'png', 4),
    'node-canvas, kept, level 1, no filter': node('canvas', 'cached', 'png1', 8),
  },
  webp: {
    'ours': ours('webp', 10),
    'sharp, tuned': node('sharp', 'tuned', 'webp', 6),
  },
};

const median = list => [...list].sort((a, b) => a - b)[list.length >> 1];
for (const [format, contenders] of Object.entries(tables)) {
  const seen = Object.fromEntries(Object.keys(contenders).map(name => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, contender] of Object.entries(contenders)) {
      try { seen[name].push(contender()); } catch (error) { console.error(`${name}: ${error.message.split('\n')[0]}`); }
    }
  }
  console.log(`\n${format}`.padEnd(41), 'cpu ms', '   x ours (worst..best)', '      bytes');
  for (const [name, list] of Object.entries(seen)) {
    if (!list.length) continue;
    const ratios = list.map((one, round) => one.ms / seen.ours[round].ms).sort((a, b) => a - b);
    console.log(name.padEnd(38), median(list.map(one => one.ms)).toFixed(2).padStart(8),
      `${median(ratios).toFixed(1).padStart(8)} (${ratios[0].toFixed(1)}..${ratios.at(-1).toFixed(1)})`.padEnd(24), String(list.at(-1).bytes).padStart(10));
  }
}
