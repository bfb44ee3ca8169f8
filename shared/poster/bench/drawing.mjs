// What all contenders draw: a photo, a round avatar, a name, a label, a number, and a QR code. The template's sizes (poster.svg).
import QR from 'qrcode';
import fs from 'node:fs';

export const W = 750, H = 1334;
export const assets = process.env.POSTER_BENCH;
export const file = name => fs.readFileSync(`${assets}/${name}`);
export const family = 'Noto Sans SC';

export const name = i => `王小明同学${i % 100}`;
export const label = '已连续签到天数';
export const number = i => String(100 + i % 900);

// The code's modules as a list of [x, y], and how many there are in a row.
export function code(i) {
  const { size, data } = QR.create(`https://example.com/c/spring?i=${100000 + i}`, { errorCorrectionLevel: 'M' }).modules;
  const dark = [];
  for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) if (data[y * size + x]) dark.push([x, y]);
  return { size, dark };
}

// Makes `count` posters and says what each took of the processor, all threads of this process counted, in milliseconds.
export async function measure(poster, count) {
  for (let i = 0; i < 3; i++) await poster(i);
  const before = process.cpuUsage();
  let bytes;
  for (let i = 0; i < count; i++) bytes = await poster(i);
  const used = process.cpuUsage(before);
  if (process.env.SAVE) fs.writeFileSync(process.env.SAVE, bytes);
  console.log(JSON.stringify({ ms: (used.user + used.system) / 1000 / count, bytes: bytes.length }));
}
