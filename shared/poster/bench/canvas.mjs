// node canvas.mjs cached|decoded jpeg|png|png1 COUNT
// cached: the background was decoded once. decoded: it is decoded for each poster.
import { createCanvas, loadImage, registerFont } from 'canvas';
import { H, W, assets, code, family, file, label, measure, name, number } from './drawing.mjs';

const [, , way, format, count] = process.argv;
registerFont(`${assets}/font.ttf`, { family });
const background = file('background.jpg'), avatar = file('avatar.jpg');
const kept = await loadImage(background);

await measure(async i => {
  const ground = way === 'cached' ? kept : await loadImage(background);
  const face = await loadImage(avatar);
  const canvas = createCanvas(W, H), pen = canvas.getContext('2d');
  pen.drawImage(ground, 0, 0);
  pen.save();
  pen.beginPath();
  pen.arc(140, 160, 80, 0, 2 * Math.PI);
  pen.clip();
  pen.drawImage(face, 60, 80, 160, 160);
  pen.restore();
  pen.fillStyle = '#fff';
  for (const [px, text, x, y] of [[40, name(i), 240, 175], [36, label, 60, 700], [200, number(i), 60, 900]]) {
    pen.font = `${px}px "${family}"`;
    pen.fillText(text, x, y);
  }
  pen.fillRect(450, 1034, 240, 240);
  pen.fillStyle = '#000';
  const { size, dark } = code(i), step = 220 / size;
  for (const [x, y] of dark) pen.fillRect(460 + x * step, 1044 + y * step, step, step);
  switch (format) {
    case 'jpeg': return canvas.toBuffer('image/jpeg', { quality: 0.85 });
    case 'png1': return canvas.toBuffer('image/png', { compressionLevel: 1, filters: canvas.PNG_FILTER_NONE });
    default: return canvas.toBuffer('image/png');
  }
}, +count);
